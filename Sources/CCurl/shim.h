#pragma once
// dynarc's view of libcurl. Swift cannot call variadic C, so each class of argument of
// curl_easy_setopt, curl_easy_getinfo and curl_multi_setopt has one wrapper. The calls stand in
// parentheses to step round curl's type-checking macros, which these wrappers replace.
#include <curl/curl.h>

static inline CURLcode dynarc_setopt_long(CURL *handle, CURLoption option, long value) {
  return (curl_easy_setopt)(handle, option, value);
}

// For the options whose name ends in _LARGE.
static inline CURLcode dynarc_setopt_offset(CURL *handle, CURLoption option, curl_off_t value) {
  return (curl_easy_setopt)(handle, option, value);
}

// libcurl copies the string, except for CURLOPT_POSTFIELDS, which is set by the next one.
static inline CURLcode dynarc_setopt_string(CURL *handle, CURLoption option, const char *value) {
  return (curl_easy_setopt)(handle, option, value);
}

static inline CURLcode dynarc_setopt_pointer(CURL *handle, CURLoption option, const void *value) {
  return (curl_easy_setopt)(handle, option, value);
}

// For CURLOPT_WRITEFUNCTION and CURLOPT_HEADERFUNCTION, whose functions have one type.
static inline CURLcode dynarc_setopt_writer(CURL *handle, CURLoption option,
                                            curl_write_callback value) {
  return (curl_easy_setopt)(handle, option, value);
}

static inline CURLcode dynarc_getinfo_long(CURL *handle, CURLINFO info, long *value) {
  return (curl_easy_getinfo)(handle, info, value);
}

// For the times whose name ends in _T, in microseconds.
static inline CURLcode dynarc_getinfo_offset(CURL *handle, CURLINFO info, curl_off_t *value) {
  return (curl_easy_getinfo)(handle, info, value);
}

static inline CURLMcode dynarc_multi_setopt_long(CURLM *handle, CURLMoption option, long value) {
  return (curl_multi_setopt)(handle, option, value);
}

// The result of a finished transfer: a member of a union, which Swift imports awkwardly.
static inline CURLcode dynarc_message_result(const CURLMsg *message) {
  return message->data.result;
}
