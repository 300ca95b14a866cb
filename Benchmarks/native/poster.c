// The floor of loading: posts prebuilt, signed requests over libcurl's multi interface, and does
// nothing else. `poster URL CA FILE CONCURRENCY`; CA is - over plain HTTP.
//
// FILE is a run of requests: two 32-bit lengths, so many bytes of header fields (a line each, every
// line ended by a NUL), so many bytes of body.
#include <curl/curl.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct lane {
  CURL *easy;
  struct curl_slist *fields;
  char answer[4096];
  size_t length;
};

static const char *next_request, *end;

static void fail(const char *what) {
  fprintf(stderr, "poster: %s\n", what);
  exit(1);
}

static size_t take(char *bytes, size_t size, size_t count, void *context) {
  struct lane *lane = context;
  size_t length = size * count;
  if (lane->length + length >= sizeof lane->answer) return 0;
  memcpy(lane->answer + lane->length, bytes, length);
  lane->length += length;
  lane->answer[lane->length] = 0;
  return length;
}

static int load_next(struct lane *lane) {
  if (next_request == end) return 0;
  uint32_t lengths[2];
  memcpy(lengths, next_request, sizeof lengths);
  const char *field = next_request + sizeof lengths, *body = field + lengths[0];
  curl_slist_free_all(lane->fields);
  lane->fields = NULL;
  for (; field < body; field += strlen(field) + 1) {
    lane->fields = curl_slist_append(lane->fields, field);
  }
  lane->length = 0;
  curl_easy_setopt(lane->easy, CURLOPT_HTTPHEADER, lane->fields);
  curl_easy_setopt(lane->easy, CURLOPT_POSTFIELDS, body);
  curl_easy_setopt(lane->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)lengths[1]);
  next_request = body + lengths[1];
  return 1;
}

static void check(CURL *easy, CURLcode result) {
  struct lane *lane;
  long status;
  curl_easy_getinfo(easy, CURLINFO_PRIVATE, &lane);
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  if (result != CURLE_OK) fail(curl_easy_strerror(result));
  if (status != 200 || !strstr(lane->answer, "\"UnprocessedItems\":{}")) fail(lane->answer);
}

int main(int argc, char **argv) {
  if (argc != 5) fail("URL CA FILE CONCURRENCY");
  int file = open(argv[3], O_RDONLY);
  struct stat facts;
  if (file < 0 || fstat(file, &facts) != 0) fail("cannot open the file");
  next_request = mmap(NULL, facts.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file, 0);
  if (next_request == MAP_FAILED) fail("cannot map the file");
  end = next_request + facts.st_size;

  curl_global_init(CURL_GLOBAL_DEFAULT);
  CURLM *multi = curl_multi_init();
  int running = 0;
  for (int i = 0; i < atoi(argv[4]); i++) {
    struct lane *lane = calloc(1, sizeof *lane);
    lane->easy = curl_easy_init();
    curl_easy_setopt(lane->easy, CURLOPT_URL, argv[1]);
    if (strcmp(argv[2], "-") != 0) curl_easy_setopt(lane->easy, CURLOPT_CAINFO, argv[2]);
    curl_easy_setopt(lane->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(lane->easy, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(lane->easy, CURLOPT_WRITEDATA, lane);
    curl_easy_setopt(lane->easy, CURLOPT_PRIVATE, lane);
    if (load_next(lane)) running += curl_multi_add_handle(multi, lane->easy) == CURLM_OK;
  }
  while (running > 0) {
    int active, left;
    if (curl_multi_perform(multi, &active) != CURLM_OK) fail("curl_multi_perform");
    for (CURLMsg *message; (message = curl_multi_info_read(multi, &left));) {
      CURL *easy = message->easy_handle;
      struct lane *lane;
      check(easy, message->data.result);
      curl_easy_getinfo(easy, CURLINFO_PRIVATE, &lane);
      curl_multi_remove_handle(multi, easy);
      if (load_next(lane)) {
        curl_multi_add_handle(multi, easy);
      } else {
        running--;
      }
    }
    if (running > 0 && curl_multi_poll(multi, NULL, 0, 1000, NULL) != CURLM_OK) {
      fail("curl_multi_poll");
    }
  }
  return 0;
}
