/* Refusals with a text, and typed answers to information commands. */
#include "base/answers.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Thread_local GC_ERROR last_code = GC_ERR_SUCCESS;
static _Thread_local char last_text[256] = "no error";

static void log_line(const char *text) {
    if (getenv("STATION_GENTL_LOG"))
        fprintf(stderr, "station_linescan: %s\n", text);
}

GC_ERROR refuse(GC_ERROR code, const char *format, ...) {
    va_list values;
    va_start(values, format);
    vsnprintf(last_text, sizeof last_text, format, values);
    va_end(values);
    last_code = code;
    if (code != GC_ERR_TIMEOUT) /* a consumer polls: a time-out is no news */
        log_line(last_text);
    return code;
}

GC_ERROR refuse_handle(const char *what) {
    return refuse(GC_ERR_INVALID_HANDLE, "this is not the handle of an open %s", what);
}

GC_ERROR refuse_argument(const char *what) {
    return refuse(GC_ERR_INVALID_PARAMETER, "%s must not be NULL", what);
}

void producer_log(const char *format, ...) {
    char text[256];
    va_list values;
    va_start(values, format);
    vsnprintf(text, sizeof text, format, values);
    va_end(values);
    log_line(text);
}

GC_API GCGetLastError(GC_ERROR *code, char *text, size_t *size) {
    if (!code)
        return refuse_argument("the error code");
    *code = last_code;
    return size ? answer_text((struct answer){NULL, text, size}, last_text) : GC_ERR_SUCCESS;
}

/* A NULL buffer asks for the size only. */
static GC_ERROR answer(struct answer to, INFO_DATATYPE type, const void *value, size_t size) {
    if (!to.size)
        return refuse_argument("the size");
    if (to.type)
        *to.type = type;
    if (to.buffer && *to.size < size)
        return refuse(GC_ERR_BUFFER_TOO_SMALL, "the answer needs %zu bytes, there are %zu", size, *to.size);
    if (to.buffer)
        memcpy(to.buffer, value, size);
    *to.size = size;
    return GC_ERR_SUCCESS;
}

GC_ERROR answer_text(struct answer to, const char *text) {
    return answer(to, INFO_DATATYPE_STRING, text, strlen(text) + 1);
}

GC_ERROR answer_int32(struct answer to, int32_t value) {
    return answer(to, INFO_DATATYPE_INT32, &value, sizeof value);
}

GC_ERROR answer_uint32(struct answer to, uint32_t value) {
    return answer(to, INFO_DATATYPE_UINT32, &value, sizeof value);
}

GC_ERROR answer_uint64(struct answer to, uint64_t value) {
    return answer(to, INFO_DATATYPE_UINT64, &value, sizeof value);
}

GC_ERROR answer_size(struct answer to, size_t value) {
    return answer(to, INFO_DATATYPE_SIZET, &value, sizeof value);
}

GC_ERROR answer_bool(struct answer to, bool value) {
    bool8_t byte = value ? 1 : 0;
    return answer(to, INFO_DATATYPE_BOOL8, &byte, sizeof byte);
}

GC_ERROR answer_pointer(struct answer to, void *value) {
    return answer(to, INFO_DATATYPE_PTR, &value, sizeof value);
}
