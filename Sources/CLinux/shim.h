#pragma once
// Calls of Linux that Swift's Glibc module does not show, or that are variadic.
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

// renameat2(2) with RENAME_NOREPLACE (1): fails with EEXIST where the new name stands.
static inline int dynarc_rename_exclusively(int directory, const char *from, const char *to) {
  return (int)syscall(SYS_renameat2, directory, from, directory, to, 1u);
}

// open(2) with O_TMPFILE, which glibc shows to GNU programs only: a file without a name.
static inline int dynarc_open_unnamed(const char *directory) {
#ifndef O_TMPFILE
#define O_TMPFILE (020000000 | O_DIRECTORY)
#endif
  return open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);
}

// pipe2(2), which glibc shows to GNU programs only, with O_CLOEXEC: no other child inherits its ends.
static inline int dynarc_pipe(int ends[2]) { return (int)syscall(SYS_pipe2, ends, O_CLOEXEC); }

// mallopt(3): blocks from this size on are mapped one by one, so that a page's memory goes back to the
// system with the page. glibc would raise its threshold with the first one freed, and keep them all.
// Smaller ones come and go with each batch: up to `kept` bytes of them stay, or each would be faulted
// in anew.
static inline int dynarc_map_large_blocks(int bytes, int kept) {
#ifdef __GLIBC__
  return mallopt(M_MMAP_THRESHOLD, bytes) && mallopt(M_TRIM_THRESHOLD, kept) &&
         mallopt(M_TOP_PAD, kept / 8);
#else
  return (void)bytes, (void)kept, 1;
#endif
}
