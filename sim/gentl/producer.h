/* What the producer's files share: the lock, refusals, typed answers, handles and the module tree.
 *
 * One lock guards everything. An entry point takes it with GENTL_ENTRY; the acquisition thread holds it except while it
 * copies lines into the buffer that it is filling, which nobody else may touch meanwhile. */
#ifndef STATION_PRODUCER_H
#define STATION_PRODUCER_H

#include <pthread.h>
#include <stdbool.h>

#include "gentl.h"

#define PRODUCER_VENDOR "Inspection Station"
#define PRODUCER_MODEL "Simulated Line Scan"
#define PRODUCER_VERSION "1.1.0"
#define PRODUCER_FILE "station_linescan.cti"
#define SYSTEM_ID "station-linescan-system"
#define INTERFACE_ID "station-linescan-interface"
#define TL_TYPE "Custom"

struct camera;

/* ---- the lock (library.c) ---- */

/* Takes the lock; false when GCInitLib has not been called. The lock is held either way. */
bool producer_enter(void);
void producer_leave(const bool *entered);
extern pthread_mutex_t producer_mutex;

/* First statement of an entry point: holds the lock until the function returns, refuses before GCInitLib. */
#define GENTL_ENTRY                                                                                                    \
    __attribute__((cleanup(producer_leave))) bool entered = producer_enter();                                          \
    if (!entered)                                                                                                      \
    return refuse(GC_ERR_NOT_INITIALIZED, "GCInitLib has not been called")

/* ---- refusals (answers.c) ---- */

/* Notes the calling thread's last error, and returns the code. */
GC_ERROR refuse(GC_ERROR code, const char *format, ...) __attribute__((format(printf, 2, 3)));
GC_ERROR refuse_handle(const char *what);
GC_ERROR refuse_argument(const char *what);
/* One line on standard error when the environment has STATION_GENTL_LOG. */
void producer_log(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- typed answers (answers.c): the standard's protocol of type, value and size in one place ---- */

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

/* ---- handles (handles.c): numbers, never addresses, so that a stale or foreign one is always recognised ---- */

enum module_kind {
    MODULE_NONE,
    MODULE_SYSTEM,
    MODULE_INTERFACE,
    MODULE_DEVICE,
    MODULE_REMOTE_DEVICE,
    MODULE_STREAM,
    MODULE_BUFFER,
    MODULE_EVENT
};
/* A new handle for an object; NULL when memory is exhausted. */
void *handle_open(enum module_kind kind, void *object);
/* Makes the handle stale; NULL is allowed. */
void handle_close(const void *handle);
/* What the handle stands for; MODULE_NONE for NULL, stale and foreign ones. */
enum module_kind handle_kind(const void *handle);
/* The object of a handle of exactly this kind, else NULL. */
void *handle_object(const void *handle, enum module_kind kind);

/* ---- the module tree (library.c, system.c, interface.c, device.c) ---- */

enum { CAMERA_MAX = 4 };

struct producer {
    bool initialised, closing;
    unsigned camera_count;
    void *system;             /* handles of the open modules, else NULL */
    void *interface;          /* likewise */
    uint32_t device_selector; /* the interface's feature */
};
extern struct producer producer;
/* The library's file with its folder. */
const char *producer_path(void);
void system_close(void);
/* Camera number `index`, always there, plugged in or not. */
struct camera *producer_camera(unsigned index);
void interface_close(void);
GC_ERROR interface_info(INTERFACE_INFO_CMD command, struct answer to);
GC_ERROR system_info(TL_INFO_CMD command, struct answer to);
/* The listed device number `index`, NULL when there are fewer. */
struct camera *interface_device(uint32_t index);
uint32_t interface_device_count(void);
/* Looks which cameras are there; whether that has changed. */
bool interface_update(void);
GC_ERROR device_info(struct camera *camera, DEVICE_INFO_CMD command, struct answer to);
GC_ERROR device_open(struct camera *camera, DEVICE_ACCESS_FLAGS flags, DEV_HANDLE *device);
void device_close(struct camera *camera);

#endif
