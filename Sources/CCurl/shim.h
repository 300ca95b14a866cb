#pragma once
// dynarc's view of libcurl. Swift cannot call variadic C, so each class of argument of
// curl_easy_setopt, curl_easy_getinfo and curl_multi_setopt has one wrapper. The calls stand in
// parentheses to step round curl's type-checking macros, which these wrappers replace.
#include <curl/curl.h>

static inline CURLcode dynarc_setopt_long(CURL *handle, CURLoption option, long value) {
  return (curl_easy_setopt)(handle, option, value);
}
