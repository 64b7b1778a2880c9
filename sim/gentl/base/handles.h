/* Handles are numbers, never addresses, so that a stale or foreign one is always recognised. */
#ifndef STATION_HANDLES_H
#define STATION_HANDLES_H

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

#endif
