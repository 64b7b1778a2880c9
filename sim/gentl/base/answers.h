/* Refusals with a text, and typed answers: the standard's protocol of type, value and size in one place. */
#ifndef STATION_ANSWERS_H
#define STATION_ANSWERS_H

#include <stdbool.h>

#include "gentl.h"

/* Notes the calling thread's last error, and returns the code. */
GC_ERROR refuse(GC_ERROR code, const char *format, ...) __attribute__((format(printf, 2, 3)));
GC_ERROR refuse_handle(const char *what);
GC_ERROR refuse_argument(const char *what);
/* One line on standard error when the environment has STATION_GENTL_LOG. */
void producer_log(const char *format, ...) __attribute__((format(printf, 1, 2)));

struct answer {
    INFO_DATATYPE *type;
    void *buffer;
    size_t *size;
};
GC_ERROR answer_text(struct answer to, const char *text);
GC_ERROR answer_int32(struct answer to, int32_t value);
GC_ERROR answer_uint32(struct answer to, uint32_t value);
GC_ERROR answer_uint64(struct answer to, uint64_t value);
GC_ERROR answer_size(struct answer to, size_t value);
GC_ERROR answer_bool(struct answer to, bool value);
GC_ERROR answer_pointer(struct answer to, void *value);

#endif
