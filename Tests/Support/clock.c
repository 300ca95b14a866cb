/* LD_PRELOADed into dynarc, gives it a clock that is wrong by CLOCK_OFFSET seconds. */
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

time_t time(time_t *result) {
  struct timeval now;
  gettimeofday(&now, NULL);
  const char *offset = getenv("CLOCK_OFFSET");
  time_t moment = now.tv_sec + (offset ? atol(offset) : 0);
  if (result) *result = moment;
  return moment;
}
