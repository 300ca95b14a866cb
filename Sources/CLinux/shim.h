#pragma once
// Calls of Linux that Swift's Glibc module does not show, or that are variadic.
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

// renameat2(2) with RENAME_NOREPLACE (1): fails with EEXIST where the new name stands.
static inline int dynarc_rename_exclusively(int directory, const char *from, const char *to) {
  return (int)syscall(SYS_renameat2, directory, from, directory, to, 1u);
}
