/* The new-buffer event: its data are the stream's queue of filled buffers. */
#include <string.h>

#include "base/clock.h"
#include "base/handles.h"
#include "base/producer.h"
#include "camera/camera.h"
#include "stream/stream.h"

static struct stream *find_event(EVENT_HANDLE handle) {
    return handle_object(handle, MODULE_EVENT);
}

/* The stream of an event source; NULL for modules that have no events. */
static struct stream *find_source(EVENTSRC_HANDLE source, EVENT_TYPE type) {
    return type == EVENT_NEW_BUFFER ? handle_object(source, MODULE_STREAM) : NULL;
}

static GC_ERROR refuse_source(EVENTSRC_HANDLE source, EVENT_TYPE type) {
    enum module_kind kind = handle_kind(source);
    if (kind == MODULE_NONE || kind == MODULE_EVENT || kind == MODULE_BUFFER)
        return refuse_handle("event source");
    return refuse(GC_ERR_NOT_IMPLEMENTED, "this module has no event %d", (int)type);
}

GC_API GCRegisterEvent(EVENTSRC_HANDLE source, EVENT_TYPE type, EVENT_HANDLE *event) {
    GENTL_ENTRY;
    struct stream *stream = find_source(source, type);
    if (!stream)
        return refuse_source(source, type);
    if (!event)
        return refuse_argument("the event handle");
    if (stream->event.handle || stream->event.waiting > 0)
        return refuse(GC_ERR_RESOURCE_IN_USE, "the event is already registered, or still waited for");
    void *opened = handle_open(MODULE_EVENT, stream);
    if (!opened)
        return refuse(GC_ERR_OUT_OF_MEMORY, "no memory for a handle");
    stream->event = (struct new_buffer_event){.handle = opened};
    *event = opened;
    return GC_ERR_SUCCESS;
}

void event_close(struct stream *stream) {
    handle_close(stream->event.handle);
    stream->event.handle = NULL;
    camera_tell_change(stream->camera);
    while (stream->event.waiting > 0)
        camera_await_change(stream->camera);
}

GC_API GCUnregisterEvent(EVENTSRC_HANDLE source, EVENT_TYPE type) {
    GENTL_ENTRY;
    struct stream *stream = find_source(source, type);
    if (!stream)
        return refuse_source(source, type);
    if (!stream->event.handle)
        return refuse(GC_ERR_INVALID_PARAMETER, "the event is not registered");
    event_close(stream);
    return GC_ERR_SUCCESS;
}

/* A wait that has no end of its own ends in a century. */
static uint64_t deadline_of(uint64_t timeout_ms) {
    const uint64_t century_ms = 100ull * 365 * 24 * 3600 * 1000;
    return clock_now_ns() + (timeout_ms < century_ms ? timeout_ms : century_ms) * NS_PER_MS;
}

/* A hanging camera still hands out the blocks that it had delivered before. */
static GC_ERROR await_buffer(struct stream *stream, uint64_t timeout_ms) {
    const uint64_t deadline = deadline_of(timeout_ms);
    struct camera *camera = stream->camera;
    for (;;) {
        if (!stream->event.handle)
            return refuse(GC_ERR_ABORT, "the event was unregistered");
        bool hangs = faults_hang(camera, CALL_EVENT_GET_DATA);
        if (stream->event.kills > 0 && !hangs) {
            stream->event.kills--;
            return refuse(GC_ERR_ABORT, "the wait was killed");
        }
        if (stream->output.length > 0)
            return GC_ERR_SUCCESS;
        if (hangs) {
            camera_wait_until(camera, camera->hang_end_ns);
            continue;
        }
        if (camera->cable != CABLE_IN)
            return refuse(GC_ERR_IO, "the camera is not connected any more");
        if (clock_now_ns() >= deadline)
            return refuse(GC_ERR_TIMEOUT, "no block within %llu ms", (unsigned long long)timeout_ms);
        camera_wait_until(camera, deadline);
    }
}

GC_API EventGetData(EVENT_HANDLE handle, void *data, size_t *size, uint64_t timeout_ms) {
    GENTL_ENTRY;
    struct stream *stream = find_event(handle);
    if (!stream)
        return refuse_handle("registered event");
    if (!data || !size)
        return refuse_argument("the event data and their size");
    if (*size < sizeof(EVENT_NEW_BUFFER_DATA))
        return refuse(GC_ERR_BUFFER_TOO_SMALL, "the event data need %zu bytes", sizeof(EVENT_NEW_BUFFER_DATA));
    stream->event.waiting++;
    GC_ERROR result = await_buffer(stream, timeout_ms);
    stream->event.waiting--;
    if (!result) {
        struct buffer *buffer = queue_pop(&stream->output, BUFFER_TAKEN);
        const EVENT_NEW_BUFFER_DATA told = {buffer->handle, buffer->user};
        memcpy(data, &told, sizeof told);
        *size = sizeof told;
    }
    camera_tell_change(stream->camera);
    return result;
}

GC_API EventGetDataInfo(EVENT_HANDLE handle, const void *data, size_t data_size, EVENT_DATA_INFO_CMD command,
                        INFO_DATATYPE *type, void *buffer, size_t *size) {
    GENTL_ENTRY;
    if (!find_event(handle))
        return refuse_handle("registered event");
    EVENT_NEW_BUFFER_DATA told;
    if (!data || data_size < sizeof told)
        return refuse(GC_ERR_INVALID_PARAMETER, "these are no new-buffer event data");
    memcpy(&told, data, sizeof told);
    if (command == EVENT_DATA_ID)
        return answer_pointer((struct answer){type, buffer, size}, told.BufferHandle);
    if (command == EVENT_DATA_VALUE)
        return answer_pointer((struct answer){type, buffer, size}, told.pUserPointer);
    return refuse(GC_ERR_NOT_IMPLEMENTED, "no event data information %d", (int)command);
}

GC_API EventGetInfo(EVENT_HANDLE handle, EVENT_INFO_CMD command, INFO_DATATYPE *type, void *buffer, size_t *size) {
    GENTL_ENTRY;
    const struct stream *stream = find_event(handle);
    if (!stream)
        return refuse_handle("registered event");
    const struct answer to = {type, buffer, size};
    switch (command) {
    case EVENT_EVENT_TYPE:
        return answer_int32(to, EVENT_NEW_BUFFER);
    case EVENT_NUM_IN_QUEUE:
        return answer_size(to, stream->output.length);
    case EVENT_NUM_FIRED:
        return answer_uint64(to, stream->event.fired);
    case EVENT_SIZE_MAX:
        return answer_size(to, sizeof(EVENT_NEW_BUFFER_DATA));
    case EVENT_INFO_DATA_SIZE_MAX:
        return answer_size(to, sizeof(void *));
    default:
        return refuse(GC_ERR_NOT_IMPLEMENTED, "no event information %d", (int)command);
    }
}

/* The buffers of the discarded events belong to nobody until they are queued again. */
GC_API EventFlush(EVENT_HANDLE handle) {
    GENTL_ENTRY;
    struct stream *stream = find_event(handle);
    if (!stream)
        return refuse_handle("registered event");
    while (queue_pop(&stream->output, BUFFER_IDLE))
        continue;
    camera_tell_change(stream->camera);
    return GC_ERR_SUCCESS;
}

/* Ends one wait: one that is going on, else the next. */
GC_API EventKill(EVENT_HANDLE handle) {
    GENTL_ENTRY;
    struct stream *stream = find_event(handle);
    if (!stream)
        return refuse_handle("registered event");
    stream->event.kills++;
    camera_tell_change(stream->camera);
    return GC_ERR_SUCCESS;
}
