/*
 * What the kernel calls for a program that is made for arm64: QEMU, told where the
 * libraries for it are. Both are beside this program, which needs none itself.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	char folder[PATH_MAX], qemu[PATH_MAX + 20], libraries[PATH_MAX + 20];
	ssize_t length = readlink("/proc/self/exe", folder, sizeof folder - 1);
	char **args = calloc(argc + 3, sizeof *args);

	if (length < 0 || !args)
		return 127;
	folder[length] = '\0';
	*strrchr(folder, '/') = '\0';
	snprintf(qemu, sizeof qemu, "%s/qemu-aarch64", folder);
	snprintf(libraries, sizeof libraries, "%s/root", folder);
	args[0] = "qemu-aarch64";
	args[1] = "-L";
	args[2] = libraries;
	/* The program, and its own arguments. */
	memcpy(args + 3, argv + 1, (argc - 1) * sizeof *args);
	execv(qemu, args);
	perror(qemu);
	return 127;
}
