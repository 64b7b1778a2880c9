/* Announcing buffers, queueing and flushing them. */
#include <stdlib.h>

#include "base/handles.h"
#include "base/producer.h"
#include "camera/camera.h"
#include "stream/stream.h"

static struct stream *find_stream(DS_HANDLE handle) {
    return handle_object(handle, MODULE_STREAM);
}

/* ---- announcing ---- */

struct buffer *stream_buffer(const struct stream *stream, BUFFER_HANDLE handle) {
    struct buffer *buffer = handle_object(handle, MODULE_BUFFER);
    return buffer && buffer->stream == stream ? buffer : NULL;
}

static void forget_buffer(struct buffer *buffer) {
    handle_close(buffer->handle);
    if (buffer->own_memory)
        free(buffer->base);
    free(buffer);
}

void stream_forget_buffers(struct stream *stream) {
    while (stream->announced) {
        struct buffer *buffer = stream->announced;
        stream->announced = buffer->next_announced;
        forget_buffer(buffer);
    }
}

static GC_ERROR announce(struct stream *stream, const struct buffer *description, BUFFER_HANDLE *handle) {
    struct buffer *buffer = malloc(sizeof *buffer);
    void *opened = buffer ? handle_open(MODULE_BUFFER, buffer) : NULL;
    if (!opened) {
        free(buffer);
        return refuse(GC_ERR_OUT_OF_MEMORY, "no memory for another buffer");
    }
    *buffer = *description;
    buffer->stream = stream;
    buffer->handle = opened;
    buffer->next_announced = stream->announced;
    stream->announced = buffer;
    stream->announced_count++;
    *handle = opened;
    return GC_ERR_SUCCESS;
}

GC_API DSAnnounceBuffer(DS_HANDLE handle, void *base, size_t size, void *user, BUFFER_HANDLE *buffer) {
    GENTL_ENTRY;
    struct stream *stream = find_stream(handle);
    if (!stream)
        return refuse_handle("data stream");
    if (!base || !size || !buffer)
        return refuse_argument("the memory, its size and the buffer handle");
    for (const struct buffer *other = stream->announced; other; other = other->next_announced)
        if (other->base == base)
            return refuse(GC_ERR_RESOURCE_IN_USE, "this memory is already announced");
    return announce(stream, &(struct buffer){.base = base, .size = size, .user = user}, buffer);
}

GC_API DSAllocAndAnnounceBuffer(DS_HANDLE handle, size_t size, void *user, BUFFER_HANDLE *buffer) {
    GENTL_ENTRY;
    struct stream *stream = find_stream(handle);
    if (!stream)
        return refuse_handle("data stream");
    if (!size || !buffer)
        return refuse_argument("the size and the buffer handle");
    uint8_t *memory = calloc(1, size);
    if (!memory)
        return refuse(GC_ERR_OUT_OF_MEMORY, "no memory for a buffer of %zu bytes", size);
    const struct buffer description = {.base = memory, .size = size, .user = user, .own_memory = true};
    GC_ERROR announced = announce(stream, &description, buffer);
    if (announced)
        free(memory);
    return announced;
}

GC_API DSRevokeBuffer(DS_HANDLE handle, BUFFER_HANDLE buffer_handle, void **base, void **user) {
    GENTL_ENTRY;
    struct stream *stream = find_stream(handle);
    struct buffer *buffer = stream ? stream_buffer(stream, buffer_handle) : NULL;
    if (!buffer)
        return refuse_handle(stream ? "buffer of this stream" : "data stream");
    if (buffer->state != BUFFER_IDLE && buffer->state != BUFFER_TAKEN)
        return refuse(GC_ERR_BUSY, "the buffer is still in a queue");
    struct buffer **link = &stream->announced;
    while (*link != buffer)
        link = &(*link)->next_announced;
    *link = buffer->next_announced;
    stream->announced_count--;
    if (base)
        *base = buffer->own_memory ? NULL : buffer->base;
    if (user)
        *user = buffer->user;
    forget_buffer(buffer);
    return GC_ERR_SUCCESS;
}

/* ---- queueing ---- */

static GC_ERROR queue(struct stream *stream, struct buffer *buffer) {
    if (buffer->state != BUFFER_IDLE && buffer->state != BUFFER_TAKEN)
        return refuse(GC_ERR_RESOURCE_IN_USE, "the buffer is already in a queue");
    buffer->block = (struct block){.frame_id = 0};
    queue_push(&stream->input, buffer, BUFFER_QUEUED);
    camera_tell_change(stream->camera);
    return GC_ERR_SUCCESS;
}

GC_API DSQueueBuffer(DS_HANDLE handle, BUFFER_HANDLE buffer_handle) {
    GENTL_ENTRY;
    struct stream *stream = find_stream(handle);
    if (stream)
        faults_sit_out(stream->camera, CALL_QUEUE_BUFFER);
    stream = find_stream(handle);
    struct buffer *buffer = stream ? stream_buffer(stream, buffer_handle) : NULL;
    if (!buffer)
        return refuse_handle(stream ? "buffer of this stream" : "data stream");
    return queue(stream, buffer);
}

static void discard(struct buffer_queue *queue) {
    while (queue_pop(queue, BUFFER_IDLE))
        continue;
}

static void move_all(struct buffer_queue *from, struct buffer_queue *to, enum buffer_state state) {
    struct buffer *buffer;
    while ((buffer = queue_pop(from, state)))
        queue_push(to, buffer, state);
}

static void queue_unqueued(struct stream *stream) {
    for (struct buffer *buffer = stream->announced; buffer; buffer = buffer->next_announced)
        if (buffer->state == BUFFER_IDLE || buffer->state == BUFFER_TAKEN)
            queue_push(&stream->input, buffer, BUFFER_QUEUED);
}

static GC_ERROR flush(struct stream *stream, ACQ_QUEUE_TYPE operation) {
    switch (operation) {
    case ACQ_QUEUE_INPUT_TO_OUTPUT:
        move_all(&stream->input, &stream->output, BUFFER_FILLED);
        break;
    case ACQ_QUEUE_OUTPUT_DISCARD:
        discard(&stream->output);
        break;
    case ACQ_QUEUE_ALL_TO_INPUT:
        move_all(&stream->output, &stream->input, BUFFER_QUEUED);
        queue_unqueued(stream);
        break;
    case ACQ_QUEUE_UNQUEUED_TO_INPUT:
        queue_unqueued(stream);
        break;
    case ACQ_QUEUE_ALL_DISCARD:
        discard(&stream->input);
        discard(&stream->output);
        break;
    default:
        return refuse(GC_ERR_INVALID_PARAMETER, "unknown queue operation %d", (int)operation);
    }
    camera_tell_change(stream->camera);
    return GC_ERR_SUCCESS;
}

/* Awaits that a camera which is gone lets go of the block it was filling: whoever flushes then has all buffers. */
static struct stream *await_release(DS_HANDLE handle) {
    struct stream *stream = find_stream(handle);
    while (stream && stream->filling && stream->camera->cable != CABLE_IN) {
        camera_await_change(stream->camera);
        stream = find_stream(handle);
    }
    return stream;
}

GC_API DSFlushQueue(DS_HANDLE handle, ACQ_QUEUE_TYPE operation) {
    GENTL_ENTRY;
    struct stream *stream = await_release(handle);
    return stream ? flush(stream, operation) : refuse_handle("data stream");
}
