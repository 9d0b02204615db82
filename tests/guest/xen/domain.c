// domain: a domain without a program, made of bare hypercalls: memory that domain 0 can
// map, and a table of grants.
//
//	domain create hvm|pv PAGES     prints the domain's id and its first frame
//	domain grant ID REF COUNT FRAME [ro]   grants frames to domain 0, one after the other
//	domain end ID REF COUNT        ends grants
//	domain flags ID REF COUNT      prints the flags of grants; 8 and 16: in use
//	domain destroy ID
//	domain list                    prints the ids of all domains
//
// PAGES is a power of two; the frames are one after the other, and page i begins with
// the text "page i of domain ID".  The domain is never unpaused; it stays until it is
// destroyed, and what is mapped of it keeps what is left of it.
//
// References are up to 511: the table has one page.
#define __XEN_TOOLS__ 1
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xen/xen.h>
#include <xen/domctl.h>
#include <xen/grant_table.h>
#include <xen/memory.h>
#include <xen/sysctl.h>
#include <xen/sys/privcmd.h>

#define PAGE 4096L

static int privcmd;
// Memory that may be passed to Xen: it is never moved, nor copied on write.
static char *shared;

static void die(const char *what)
{
	fprintf(stderr, "domain: %s: %s\n", what, strerror(errno));
	exit(1);
}

static long hypercall(unsigned long operation, unsigned long first, unsigned long second)
{
	privcmd_hypercall_t call = { .op = operation, .arg = { first, second } };
	return ioctl(privcmd, IOCTL_PRIVCMD_HYPERCALL, &call);
}

static long domctl(struct xen_domctl *request)
{
	request->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
	memcpy(shared, request, sizeof *request);
	long result = hypercall(__HYPERVISOR_domctl, (unsigned long)shared, 0);
	memcpy(request, shared, sizeof *request);
	return result;
}

static char *map_frames(int id, unsigned long first, int count)
{
	char *memory = mmap(0, count * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, privcmd, 0);
	xen_pfn_t *frames = calloc(count, sizeof *frames);
	int *errors = calloc(count, sizeof *errors);
	if (memory == MAP_FAILED || !frames || !errors)
		die("mapping frames");
	for (int i = 0; i < count; i++)
		frames[i] = first + i;
	privcmd_mmapbatch_v2_t batch = { .num = count, .dom = id, .addr = (unsigned long)memory,
		.arr = frames, .err = errors };
	if (ioctl(privcmd, IOCTL_PRIVCMD_MMAPBATCH_V2, &batch))
		die("MMAPBATCH_V2");
	// It succeeds though frames are not there.
	for (int i = 0; i < count; i++)
		if (errors[i]) {
			errno = -errors[i];
			die("a frame");
		}
	return memory;
}

static volatile grant_entry_v1_t *grants(int id)
{
	void *table = mmap(0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, privcmd, 0);
	privcmd_mmap_resource_t resource = { .dom = id, .type = XENMEM_resource_grant_table,
		.id = XENMEM_resource_grant_table_id_shared, .num = 1, .addr = (unsigned long)table };
	if (table == MAP_FAILED || ioctl(privcmd, IOCTL_PRIVCMD_MMAP_RESOURCE, &resource))
		die("the table of grants");
	return table;
}

static void create(int hvm, int pages)
{
	struct xen_domctl request = { .cmd = XEN_DOMCTL_createdomain };
	request.u.createdomain = (struct xen_domctl_createdomain){
		.flags = hvm ? XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap : 0,
		.handle = { 1, 2, 3 }, .max_vcpus = 1, .max_evtchn_port = 127,
		.max_grant_frames = 4, .max_maptrack_frames = 4,
		.grant_opts = XEN_DOMCTL_GRANT_version(1),
		.arch.emulation_flags = hvm ? XEN_X86_EMU_LAPIC : 0,
	};
	if (domctl(&request))
		die("createdomain");
	int id = request.domain;

	request = (struct xen_domctl){ .cmd = XEN_DOMCTL_max_mem, .domain = id };
	request.u.max_mem.max_memkb = 4 * pages + 1024;
	if (domctl(&request))
		die("max_mem");

	// An HVM domain gets the frame that is asked for, a PV domain is told its own.
	xen_pfn_t *frame = (void *)(shared + PAGE);
	*frame = 0x100;
	struct xen_memory_reservation *memory = memset(shared, 0, sizeof *memory);
	set_xen_guest_handle(memory->extent_start, frame);
	memory->nr_extents = 1;
	memory->extent_order = __builtin_ctz(pages);
	memory->domid = id;
	if (hypercall(__HYPERVISOR_memory_op, XENMEM_populate_physmap, (unsigned long)memory) != 1)
		die("populate_physmap");

	unsigned long first = *frame;
	char *bytes = map_frames(id, first, pages);
	for (int i = 0; i < pages; i++)
		sprintf(bytes + i * PAGE, "page %d of domain %d", i, id);
	printf("%d 0x%lx\n", id, first);
}

static void destroy(int id)
{
	struct xen_domctl request = { .cmd = XEN_DOMCTL_destroydomain, .domain = id };
	long result;
	while ((result = domctl(&request)) && (errno == EAGAIN || errno == ERESTART || errno == EBUSY))
		usleep(1000);
	if (result)
		die("destroydomain");
}

static void list(void)
{
	struct xen_sysctl *request = memset(shared, 0, PAGE);
	request->cmd = XEN_SYSCTL_getdomaininfolist;
	request->interface_version = XEN_SYSCTL_INTERFACE_VERSION;
	xen_domctl_getdomaininfo_t *all = (void *)(shared + PAGE);
	request->u.getdomaininfolist.max_domains = 3 * PAGE / sizeof *all;
	set_xen_guest_handle(request->u.getdomaininfolist.buffer, all);
	if (hypercall(__HYPERVISOR_sysctl, (unsigned long)request, 0))
		die("getdomaininfolist");
	for (unsigned i = 0; i < request->u.getdomaininfolist.num_domains; i++)
		printf("%d\n", all[i].domain);
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";
	int id = argc > 2 ? atoi(argv[2]) : 0;
	int reference = argc > 4 ? atoi(argv[3]) : 0, count = argc > 4 ? atoi(argv[4]) : 0;
	int buffer = open("/dev/xen/hypercall", O_RDWR | O_CLOEXEC);
	privcmd = open("/dev/xen/privcmd", O_RDWR | O_CLOEXEC);
	if (privcmd < 0 || buffer < 0)
		die("/dev/xen/privcmd and hypercall");
	shared = mmap(0, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, buffer, 0);
	if (shared == MAP_FAILED)
		die("memory for hypercalls");
	memset(shared, 0, 4 * PAGE);

	if (argc == 4 && !strcmp(verb, "create")) {
		create(!strcmp(argv[2], "hvm"), atoi(argv[3]));
	} else if ((argc == 6 || argc == 7) && !strcmp(verb, "grant")) {
		volatile grant_entry_v1_t *entry = grants(id) + reference;
		unsigned long frame = strtoul(argv[5], 0, 0);
		for (int i = 0; i < count; i++) {
			entry[i].domid = 0;
			entry[i].frame = frame + i;
			__sync_synchronize();
			entry[i].flags = GTF_permit_access | (argc == 7 ? GTF_readonly : 0);
		}
	} else if (argc == 5 && !strcmp(verb, "end")) {
		volatile grant_entry_v1_t *entry = grants(id) + reference;
		for (int i = 0; i < count; i++)
			entry[i].flags = 0;
	} else if (argc == 5 && !strcmp(verb, "flags")) {
		volatile grant_entry_v1_t *entry = grants(id) + reference;
		for (int i = 0; i < count; i++)
			printf("%d\n", entry[i].flags);
	} else if (argc == 3 && !strcmp(verb, "destroy")) {
		destroy(id);
	} else if (argc == 2 && !strcmp(verb, "list")) {
		list();
	} else {
		fprintf(stderr, "usage: see domain.c\n");
		return 2;
	}
	return 0;
}
