// SPDX-License-Identifier: GPL-2.0
/*
 * Make-believe I2C and SPI hardware for the User-Mode Linux guest, for programs
 * that want a real /dev/i2c-N or /dev/spidevN.M.  On the kernel command line:
 *
 *  uml_sim.i2c=N	N plain I2C adapters (unlike i2c-stub they take I2C_RDWR):
 *		   0x50, 0x51	256-byte EEPROMs
 *		   0x60		takes its address, but no data (EIO)
 *		   0x61		never answers (ETIMEDOUT)
 *		   0x62		loses the arbitration (EAGAIN)
 *		   0x63		ends a transfer early: those before it count
 *		   0x250	an EEPROM, with i2c_10bit=1 only
 *		   others	nobody (ENXIO)
 *  uml_sim.i2c_name=A,B  their names, the whole list in double quotes if there are
 *			spaces (default: all "uml-sim I2C")
 *  uml_sim.i2c_10bit=1	they take 10-bit addresses, too
 *  uml_sim.i2c_noquick=1 they cannot do messages without data
 *  uml_sim.i2c_max=N	they can do no more than N bytes in a message
 *  uml_sim.i2c_delay_us=N every transfer takes that long (*)
 *  uml_sim.i2c_fail=E	the next transfer fails with the error number E (*)
 *
 *  uml_sim.smbus=1	an adapter that can do nothing but SMBus, with all that
 *			there is except PEC, and a chip at 0x50: 256 registers of
 *			bytes and words, 256 of blocks, process calls that invert
 *			a word and reverse a block
 *
 *  uml_sim.spi=N	N SPI controllers that return what they are sent, at the
 *			speed of the wire; chip selects 0 and 1 have a spidev node,
 *			2 is a device without a driver
 *  uml_sim.spi_mode=M	the mode bits that they can do
 *  uml_sim.spi_bpw=M	the word sizes, bit N-1 for N bits (default 0: all)
 *  uml_sim.spi_max_hz=N the highest frequency
 *  uml_sim.spi_fail=E	the next transfer fails with the error number E (*)
 *
 * (*) also later, in /sys/module/uml_sim/parameters
 *
 * For each of them there is a folder in /sys/kernel/debug/uml_sim: i2c0, i2c1, ...
 * smbus0, spi0, ... with
 *
 *  present	write 0 to take it away, in use or not, and 1 to put it back
 *  log		what it was asked to do, a line each; written to, it is emptied.
 *		SPI: "setup" is a change of mode or word size, which makes the chip
 *		select's level that of rest in that mode
 */
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/device/faux.h>
#include <linux/i2c.h>
#include <linux/init.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/spi/spi.h>
#include <linux/spinlock.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>

#define MAX_I2C 4
#define MAX_SPI 2

static uint i2c;
module_param(i2c, uint, 0444);
static char *i2c_name[MAX_I2C];
module_param_array(i2c_name, charp, NULL, 0444);
static bool i2c_10bit;
module_param(i2c_10bit, bool, 0444);
static bool i2c_noquick;
module_param(i2c_noquick, bool, 0444);
static ushort i2c_max;
module_param(i2c_max, ushort, 0444);
static uint i2c_delay_us;
module_param(i2c_delay_us, uint, 0644);
static uint i2c_fail;
module_param(i2c_fail, uint, 0644);
static bool smbus;
module_param(smbus, bool, 0444);
static uint spi;
module_param(spi, uint, 0444);
static uint spi_mode = SPI_MODE_X_MASK | SPI_CS_HIGH | SPI_LSB_FIRST | SPI_LOOP;
module_param(spi_mode, uint, 0444);
static uint spi_bpw;
module_param(spi_bpw, uint, 0444);
static uint spi_max_hz = 50000000;
module_param(spi_max_hz, uint, 0444);
static uint spi_fail;
module_param(spi_fail, uint, 0644);

static struct device *parent;
static struct dentry *folder;

/* --- the log of a bus ------------------------------------------------------- */

struct log {
	spinlock_t lock;
	size_t len;
	char text[32768];	/* what does not fit is dropped */
};

static __printf(2, 3) void say(struct log *log, const char *format, ...)
{
	unsigned long flags;
	va_list args;

	va_start(args, format);
	spin_lock_irqsave(&log->lock, flags);
	log->len += vscnprintf(log->text + log->len, sizeof(log->text) - log->len,
			       format, args);
	spin_unlock_irqrestore(&log->lock, flags);
	va_end(args);
}

static ssize_t log_read(struct file *file, char __user *to, size_t n, loff_t *at)
{
	struct log *log = file->private_data;

	return simple_read_from_buffer(to, n, at, log->text, log->len);
}

static ssize_t log_write(struct file *file, const char __user *from, size_t n,
			 loff_t *at)
{
	struct log *log = file->private_data;
	unsigned long flags;

	spin_lock_irqsave(&log->lock, flags);
	log->len = 0;
	spin_unlock_irqrestore(&log->lock, flags);
	return n;
}

static const struct file_operations log_fops = {
	.open = simple_open,
	.read = log_read,
	.write = log_write,
};

static void add_folder(const char *kind, int i, void *bus,
		       const struct file_operations *present, struct log *log)
{
	struct dentry *dir;
	char name[16];

	spin_lock_init(&log->lock);
	snprintf(name, sizeof(name), "%s%d", kind, i);
	dir = debugfs_create_dir(name, folder);
	debugfs_create_file_unsafe("present", 0600, dir, bus, present);
	debugfs_create_file("log", 0600, dir, log, &log_fops);
}

/* --- I2C ------------------------------------------------------------------------ */

struct eeprom {
	u8 data[256];
	u8 at;
};

struct sim_i2c {
	struct i2c_adapter adap;
	struct work_struct remove;
	struct mutex lock;	/* of what follows */
	bool gone;		/* it does not work any more ... */
	bool removed;		/* ... and nobody has it open any more */
	struct eeprom eeproms[3];
	u8 words[256][2];
	u8 blocks[256][1 + I2C_SMBUS_BLOCK_MAX];
	struct log log;
};

static int sim_i2c_msg(struct sim_i2c *bus, struct i2c_msg *m)
{
	struct eeprom *e;
	int j;

	if (m->flags & I2C_M_TEN) {
		if (m->addr != 0x250)
			return -ENXIO;
		e = &bus->eeproms[2];
	} else {
		switch (m->addr) {
		case 0x50:
		case 0x51:
			e = &bus->eeproms[m->addr - 0x50];
			break;
		case 0x60:
			return m->len && !(m->flags & I2C_M_RD) ? -EIO : 0;
		case 0x61:
			return -ETIMEDOUT;
		case 0x62:
			return -EAGAIN;
		default:
			return -ENXIO;
		}
	}
	for (j = 0; j < m->len; j++) {
		if (m->flags & I2C_M_RD)
			m->buf[j] = e->data[e->at++];
		else if (j == 0)
			e->at = m->buf[0];
		else
			e->data[e->at++] = m->buf[j];
	}
	return 0;
}

/* What happens to a transfer before it gets to a chip. */
static int sim_i2c_begin(struct sim_i2c *bus)
{
	int error = xchg(&i2c_fail, 0);

	if (bus->gone)
		return -ENODEV;
	if (i2c_delay_us)
		fsleep(i2c_delay_us);
	return -error;
}

static int sim_i2c_xfer(struct i2c_adapter *adap, struct i2c_msg *msgs, int num)
{
	struct sim_i2c *bus = container_of(adap, struct sim_i2c, adap);
	int i, ret = sim_i2c_begin(bus);

	for (i = 0; i < num; i++)
		say(&bus->log, "%c%d@0x%02x ", msgs[i].flags & I2C_M_RD ? 'r' : 'w',
		    msgs[i].len, msgs[i].addr);
	for (i = 0; i < num && !ret; i++) {
		if (msgs[i].addr == 0x63 && !(msgs[i].flags & I2C_M_TEN))
			break;
		ret = sim_i2c_msg(bus, &msgs[i]);
	}
	ret = ret ?: i;
	say(&bus->log, "= %d\n", ret);
	return ret;
}

static u32 sim_i2c_func(struct i2c_adapter *adap)
{
	return (I2C_FUNC_I2C | I2C_FUNC_SMBUS_EMUL |
		(i2c_10bit ? I2C_FUNC_10BIT_ADDR : 0)) &
	       ~(i2c_noquick ? I2C_FUNC_SMBUS_QUICK : 0);
}

static const struct i2c_algorithm sim_i2c_algo = {
	.xfer = sim_i2c_xfer,
	.functionality = sim_i2c_func,
};

static struct i2c_adapter_quirks sim_i2c_quirks;

static int sim_smbus_access(struct sim_i2c *bus, char read_write, u8 command,
			    int size, union i2c_smbus_data *data)
{
	bool read = read_write == I2C_SMBUS_READ;
	struct eeprom *e = &bus->eeproms[0];
	int i, n;

	switch (size) {
	case I2C_SMBUS_QUICK:
		return 0;
	case I2C_SMBUS_BYTE:
		if (read)
			data->byte = e->data[e->at++];
		else
			e->at = command;
		return 0;
	case I2C_SMBUS_BYTE_DATA:
		if (read)
			data->byte = e->data[command];
		else
			e->data[command] = data->byte;
		return 0;
	case I2C_SMBUS_WORD_DATA:
		if (read) {
			data->word = bus->words[command][0] | bus->words[command][1] << 8;
		} else {
			bus->words[command][0] = data->word;
			bus->words[command][1] = data->word >> 8;
		}
		return 0;
	case I2C_SMBUS_PROC_CALL:
		data->word = ~data->word;
		return 0;
	case I2C_SMBUS_BLOCK_DATA:
		if (read)
			memcpy(data->block, bus->blocks[command], sizeof(bus->blocks[0]));
		else
			memcpy(bus->blocks[command], data->block, 1 + data->block[0]);
		return 0;
	case I2C_SMBUS_BLOCK_PROC_CALL:
		n = data->block[0];
		for (i = 0; i < n / 2; i++)
			swap(data->block[1 + i], data->block[n - i]);
		return 0;
	case I2C_SMBUS_I2C_BLOCK_DATA:
		for (i = 0; i < data->block[0]; i++) {
			u8 *cell = &e->data[(u8)(command + i)];

			if (read)
				data->block[1 + i] = *cell;
			else
				*cell = data->block[1 + i];
		}
		return 0;
	default:
		return -EOPNOTSUPP;
	}
}

static int sim_smbus_xfer(struct i2c_adapter *adap, u16 addr, unsigned short flags,
			  char read_write, u8 command, int size,
			  union i2c_smbus_data *data)
{
	static const char *const names[] = {
		"quick", "byte", "byte-data", "word-data", "proc-call", "block-data",
		"i2c-block-broken", "block-proc-call", "i2c-block-data",
	};
	struct sim_i2c *bus = container_of(adap, struct sim_i2c, adap);
	int ret = sim_i2c_begin(bus);

	if (!ret)
		ret = addr == 0x50 && !(flags & I2C_CLIENT_TEN) ?
		      sim_smbus_access(bus, read_write, command, size, data) : -ENXIO;
	say(&bus->log, "%c %s@0x%02x command 0x%02x = %d\n",
	    read_write == I2C_SMBUS_READ ? 'r' : 'w',
	    size < ARRAY_SIZE(names) ? names[size] : "?", addr, command, ret);
	return ret;
}

static u32 sim_smbus_func(struct i2c_adapter *adap)
{
	return I2C_FUNC_SMBUS_QUICK | I2C_FUNC_SMBUS_BYTE | I2C_FUNC_SMBUS_BYTE_DATA |
	       I2C_FUNC_SMBUS_WORD_DATA | I2C_FUNC_SMBUS_PROC_CALL |
	       I2C_FUNC_SMBUS_BLOCK_DATA | I2C_FUNC_SMBUS_BLOCK_PROC_CALL |
	       I2C_FUNC_SMBUS_I2C_BLOCK;
}

static const struct i2c_algorithm sim_smbus_algo = {
	.smbus_xfer = sim_smbus_xfer,
	.functionality = sim_smbus_func,
};

/* Waits for the last one who has it open, so nobody can wait for this. */
static void sim_i2c_remove(struct work_struct *work)
{
	struct sim_i2c *bus = container_of(work, struct sim_i2c, remove);

	i2c_del_adapter(&bus->adap);
	mutex_lock(&bus->lock);
	bus->removed = true;
	mutex_unlock(&bus->lock);
}

static int i2c_present_get(void *data, u64 *value)
{
	struct sim_i2c *bus = data;

	*value = !bus->gone;
	return 0;
}

static int i2c_present_set(void *data, u64 value)
{
	struct sim_i2c *bus = data;
	int ret = 0;

	mutex_lock(&bus->lock);
	if (!value && !bus->gone) {
		bus->gone = true;
		schedule_work(&bus->remove);
	} else if (value && bus->gone && !bus->removed) {
		ret = -EBUSY;
	} else if (value && bus->gone) {
		bus->gone = bus->removed = false;
		bus->adap.dev.parent = parent;
		ret = i2c_add_numbered_adapter(&bus->adap);
	}
	mutex_unlock(&bus->lock);
	return ret;
}
DEFINE_DEBUGFS_ATTRIBUTE(i2c_present_fops, i2c_present_get, i2c_present_set, "%llu\n");

static int add_i2c(int i, const char *kind, const char *name,
		   const struct i2c_algorithm *algo,
		   const struct i2c_adapter_quirks *quirks)
{
	struct sim_i2c *bus = kzalloc(sizeof(*bus), GFP_KERNEL);

	if (!bus)
		return -ENOMEM;
	mutex_init(&bus->lock);
	INIT_WORK(&bus->remove, sim_i2c_remove);
	memset(bus->eeproms[0].data, 0xff, sizeof(bus->eeproms[0].data));
	memset(bus->eeproms[1].data, 0xff, sizeof(bus->eeproms[1].data));
	memset(bus->eeproms[2].data, 0xff, sizeof(bus->eeproms[2].data));
	add_folder(kind, i, bus, &i2c_present_fops, &bus->log);

	bus->adap.owner = THIS_MODULE;
	bus->adap.algo = algo;
	bus->adap.quirks = quirks;
	bus->adap.dev.parent = parent;
	strscpy(bus->adap.name, name, sizeof(bus->adap.name));
	return i2c_add_adapter(&bus->adap);
}

/* --- SPI ------------------------------------------------------------------------ */

struct sim_spi {
	struct spi_controller *ctlr;	/* NULL: taken away */
	int bus_num;
	struct mutex lock;		/* of the above */
	struct log log;
};

static void sim_spi_set_cs(struct spi_device *dev, bool high)
{
	struct sim_spi **bus = spi_controller_get_devdata(dev->controller);
	bool on = high == !!(dev->mode & SPI_CS_HIGH);

	say(&(*bus)->log, "cs %d %s\n", spi_get_chipselect(dev, 0), on ? "on" : "off");
}

static int sim_spi_setup(struct spi_device *dev)
{
	struct sim_spi **bus = spi_controller_get_devdata(dev->controller);

	say(&(*bus)->log, "setup %d mode 0x%x bpw %u\n", spi_get_chipselect(dev, 0),
	    dev->mode, dev->bits_per_word);
	return 0;
}

static int sim_spi_transfer(struct spi_controller *ctlr, struct spi_device *dev,
			    struct spi_transfer *t)
{
	struct sim_spi **bus = spi_controller_get_devdata(ctlr);
	int error = xchg(&spi_fail, 0);

	say(&(*bus)->log, "%s%s len %u mode 0x%x hz %u bpw %u nbits %u/%u delays %d/%d/%d%s = %d\n",
	    t->tx_buf ? "tx" : "", t->rx_buf ? "rx" : "", t->len,
	    dev->mode, t->speed_hz, t->bits_per_word, t->tx_nbits, t->rx_nbits,
	    spi_delay_to_ns(&t->delay, t), spi_delay_to_ns(&t->word_delay, t),
	    spi_delay_to_ns(&t->cs_change_delay, t), t->cs_change ? " cs_change" : "",
	    -error);
	if (error)
		return -error;
	if (t->rx_buf && t->tx_buf)
		memcpy(t->rx_buf, t->tx_buf, t->len);
	else if (t->rx_buf)
		memset(t->rx_buf, 0, t->len);
	fsleep(div_u64(8ULL * t->len * USEC_PER_SEC, t->speed_hz));
	return 0;
}

static int sim_spi_register(struct sim_spi *bus)
{
	struct spi_board_info node = { .max_speed_hz = min(10000000, spi_max_hz) };
	struct spi_controller *ctlr = spi_alloc_host(parent, sizeof(bus));
	int ret;

	if (!ctlr)
		return -ENOMEM;
	*(struct sim_spi **)spi_controller_get_devdata(ctlr) = bus;
	ctlr->bus_num = bus->bus_num;
	ctlr->num_chipselect = 3;
	ctlr->mode_bits = spi_mode;
	ctlr->bits_per_word_mask = spi_bpw;
	ctlr->max_speed_hz = spi_max_hz;
	ctlr->setup = sim_spi_setup;
	ctlr->set_cs = sim_spi_set_cs;
	ctlr->transfer_one = sim_spi_transfer;
	ret = spi_register_controller(ctlr);
	if (ret) {
		spi_controller_put(ctlr);
		return ret;
	}
	bus->bus_num = ctlr->bus_num;
	bus->ctlr = ctlr;
	for (; node.chip_select < 3; node.chip_select++) {
		/* spidev only binds to names of chips that it knows. */
		strscpy(node.modalias, node.chip_select < 2 ? "dh2228fv" : "uml-sim");
		if (!spi_new_device(ctlr, &node))
			pr_warn("uml_sim: no SPI device %d\n", node.chip_select);
	}
	return 0;
}

static int spi_present_get(void *data, u64 *value)
{
	struct sim_spi *bus = data;

	*value = bus->ctlr != NULL;
	return 0;
}

static int spi_present_set(void *data, u64 value)
{
	struct sim_spi *bus = data;
	int ret = 0;

	mutex_lock(&bus->lock);
	if (!value && bus->ctlr) {
		spi_unregister_controller(bus->ctlr);
		bus->ctlr = NULL;
	} else if (value && !bus->ctlr) {
		ret = sim_spi_register(bus);
	}
	mutex_unlock(&bus->lock);
	return ret;
}
DEFINE_DEBUGFS_ATTRIBUTE(spi_present_fops, spi_present_get, spi_present_set, "%llu\n");

static int add_spi(int i)
{
	struct sim_spi *bus = kzalloc(sizeof(*bus), GFP_KERNEL);

	if (!bus)
		return -ENOMEM;
	mutex_init(&bus->lock);
	bus->bus_num = -1;
	add_folder("spi", i, bus, &spi_present_fops, &bus->log);
	return sim_spi_register(bus);
}

/* --------------------------------------------------------------------------------- */

static int __init uml_sim_init(void)
{
	struct faux_device *faux;
	int i, ret = 0;

	if (!i2c && !smbus && !spi)
		return 0;
	faux = faux_device_create("uml-sim", NULL, NULL);
	if (!faux)
		return -ENODEV;
	parent = &faux->dev;
	folder = debugfs_create_dir("uml_sim", NULL);

	sim_i2c_quirks.flags = i2c_noquick ? I2C_AQ_NO_ZERO_LEN : 0;
	sim_i2c_quirks.max_read_len = i2c_max;
	sim_i2c_quirks.max_write_len = i2c_max;
	for (i = 0; i < min(i2c, MAX_I2C) && !ret; i++)
		ret = add_i2c(i, "i2c", i2c_name[i] ?: "uml-sim I2C",
			      &sim_i2c_algo, &sim_i2c_quirks);
	if (smbus && !ret)
		ret = add_i2c(0, "smbus", "uml-sim SMBus", &sim_smbus_algo, NULL);
	for (i = 0; i < min(spi, MAX_SPI) && !ret; i++)
		ret = add_spi(i);
	return ret;
}
late_initcall(uml_sim_init);
