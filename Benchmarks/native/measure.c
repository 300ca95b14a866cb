// Runs a program and writes what it cost, it and all descendants that were waited for, as a line of
// JSON: `measure RESULT PROGRAM [ARGUMENT...]`. A process of its own, since a process started
// from a large one would inherit the large one's peak memory.
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds(struct timeval time) { return time.tv_sec + time.tv_usec / 1e6; }

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + time.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  double start = now();
  pid_t child = fork();
  if (child < 0) return 2;
  if (child == 0) {
    // Nothing that is measured may go on behind a run that was stopped.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    execvp(argv[2], argv + 2);
    perror(argv[2]);
    _exit(127);
  }
  int status;
  struct rusage usage;
  if (wait4(child, &status, 0, &usage) != child) return 2;
  double wall = now() - start;
  FILE *result = fopen(argv[1], "w");
  if (!result) return 2;
  int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  fprintf(
      result,
      "{\"code\":%d,\"wall\":%.6f,\"user\":%.6f,\"system\":%.6f,\"peak\":%ld}\n", code,
      wall, seconds(usage.ru_utime), seconds(usage.ru_stime), usage.ru_maxrss * 1024);
  return fclose(result) == 0 ? 0 : 2;
}
