/* The data stream's own life, its buffers and its queues. */
#include "stream.h"

#include <stdlib.h>
#include <string.h>

#include "camera.h"

static struct stream *find_stream(DS_HANDLE handle) {
    return handle_object(handle, MODULE_STREAM);
}

static void tell_change(struct stream *stream) {
    pthread_cond_broadcast(&stream->camera->changed);
}

/* ---- opening and closing ---- */

GC_ERROR stream_open(struct stream *stream, struct camera *camera, DS_HANDLE *handle) {
    if (stream->handle)
        return refuse(GC_ERR_RESOURCE_IN_USE, "the data stream is already open");
    void *opened = handle_open(MODULE_STREAM, stream);
    if (!opened)
        return refuse(GC_ERR_OUT_OF_MEMORY, "no memory for a handle");
    *stream = (struct stream){.handle = opened, .camera = camera};
    *handle = opened;
    return GC_ERR_SUCCESS;
}

static void forget_buffer(struct buffer *buffer) {
    handle_close(buffer->handle);
    if (buffer->own_memory)
        free(buffer->base);
    free(buffer);
}

/* Ends filling: at once when killed, else with the block that is being filled. */
static void stop_engine(struct stream *stream, ACQ_STOP_FLAGS flags) {
    if (flags == ACQ_STOP_FLAGS_KILL)
        stream->killed = true;
    stream->grabbing = false;
    tell_change(stream);
    while (stream->filling)
        pthread_cond_wait(&stream->camera->changed, &producer_mutex);
    stream->killed = false;
}

void stream_close(struct stream *stream) {
    if (!stream->handle)
        return;
    handle_close(stream->handle);
    stop_engine(stream, ACQ_STOP_FLAGS_KILL);
    event_close(stream);
    while (stream->announced) {
        struct buffer *buffer = stream->announced;
        stream->announced = buffer->next_announced;
        forget_buffer(buffer);
    }
    *stream = (struct stream){.camera = stream->camera};
}

GC_API DSClose(DS_HANDLE handle) {
    GENTL_ENTRY;
    struct stream *stream = find_stream(handle);
    if (!stream)
        return refuse_handle("data stream");
    stream_close(stream);
    return GC_ERR_SUCCESS;
}

GC_API DSGetParentDev(DS_HANDLE handle, DEV_HANDLE *device) {
    GENTL_ENTRY;
    struct stream *stream = find_stream(handle);
    if (!stream)
        return refuse_handle("data stream");
    if (!device)
        return refuse_argument("the device handle");
    *device = stream->camera->device;
    return GC_ERR_SUCCESS;
}

static GC_ERROR stream_info(struct stream *stream, STREAM_INFO_CMD command, struct answer to) {
    switch (command) {
    case STREAM_INFO_ID:
        return answer_text(to, stream->camera->id);
    case STREAM_INFO_NUM_DELIVERED:
        return answer_uint64(to, stream->delivered);
    case STREAM_INFO_NUM_UNDERRUN:
        return answer_uint64(to, stream->underruns);
    case STREAM_INFO_NUM_ANNOUNCED:
        return answer_size(to, stream->announced_count);
    case STREAM_INFO_NUM_QUEUED:
        return answer_size(to, stream->input.length + (stream->filling ? 1 : 0));
    case STREAM_INFO_NUM_AWAIT_DELIVERY:
        return answer_size(to, stream->output.length);
    case STREAM_INFO_NUM_STARTED:
        return answer_uint64(to, stream->started);
    case STREAM_INFO_PAYLOAD_SIZE:
        return answer_size(to, registers_payload_size(&stream->camera->registers));
    case STREAM_INFO_IS_GRABBING:
        return answer_bool(to, stream->grabbing);
    case STREAM_INFO_DEFINES_PAYLOADSIZE:
        return answer_bool(to, true);
    case STREAM_INFO_TLTYPE:
        return answer_text(to, TL_TYPE);
    case STREAM_INFO_NUM_CHUNKS_MAX:
        return answer_size(to, CHUNK_COUNT);
    case STREAM_INFO_BUF_ANNOUNCE_MIN:
        return answer_size(to, BUFFERS_MIN);
    case STREAM_INFO_BUF_ALIGNMENT:
        return answer_size(to, 1);
    default:
        return refuse(GC_ERR_NOT_IMPLEMENTED, "no stream information %d", (int)command);
    }
}

GC_API DSGetInfo(DS_HANDLE handle, STREAM_INFO_CMD command, INFO_DATATYPE *type, void *buffer, size_t *size) {
    GENTL_ENTRY;
    struct stream *stream = find_stream(handle);
    if (!stream)
        return refuse_handle("data stream");
    return stream_info(stream, command, (struct answer){type, buffer, size});
}

/* ---- the engine ---- */

GC_API DSStartAcquisition(DS_HANDLE handle, ACQ_START_FLAGS flags, uint64_t count) {
    GENTL_ENTRY;
    struct stream *stream = find_stream(handle);
    if (!stream)
        return refuse_handle("data stream");
    if (flags != ACQ_START_FLAGS_DEFAULT || count == 0)
        return refuse(GC_ERR_INVALID_PARAMETER, "unknown start flags, or no buffer to acquire");
    if (stream->grabbing)
        return refuse(GC_ERR_RESOURCE_IN_USE, "the acquisition engine is already running");
    if (stream->announced_count < BUFFERS_MIN)
        return refuse(GC_ERR_INVALID_BUFFER, "at least %d buffers must be announced", BUFFERS_MIN);
    stream->grabbing = true;
    stream->remaining = count;
    stream->delivered = 0;
    tell_change(stream);
    return GC_ERR_SUCCESS;
}

GC_API DSStopAcquisition(DS_HANDLE handle, ACQ_STOP_FLAGS flags) {
    GENTL_ENTRY;
    struct stream *stream = find_stream(handle);
    if (!stream)
        return refuse_handle("data stream");
    if (flags != ACQ_STOP_FLAGS_DEFAULT && flags != ACQ_STOP_FLAGS_KILL)
        return refuse(GC_ERR_INVALID_PARAMETER, "unknown stop flags %d", (int)flags);
    stop_engine(stream, flags);
    return GC_ERR_SUCCESS;
}

struct buffer *stream_take_input(struct stream *stream) {
    if (!stream->grabbing)
        return NULL;
    stream->filling = queue_pop(&stream->input, BUFFER_FILLING);
    if (stream->filling)
        stream->started++;
    else
        stream->underruns++;
    return stream->filling;
}

void stream_deliver(struct stream *stream, struct buffer *buffer) {
    queue_push(&stream->output, buffer, BUFFER_FILLED);
    stream->filling = NULL;
    stream->delivered++;
    stream->event.fired++;
    if (stream->remaining != GENTL_INFINITE && --stream->remaining == 0)
        stream->grabbing = false;
    tell_change(stream);
}

void stream_give_back(struct stream *stream, struct buffer *buffer) {
    queue_push(&stream->input, buffer, BUFFER_QUEUED);
    stream->filling = NULL;
    tell_change(stream);
}

/* ---- announcing and queueing ---- */

struct buffer *stream_buffer(const struct stream *stream, BUFFER_HANDLE handle) {
    struct buffer *buffer = handle_object(handle, MODULE_BUFFER);
    return buffer && buffer->stream == stream ? buffer : NULL;
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

GC_API DSQueueBuffer(DS_HANDLE handle, BUFFER_HANDLE buffer_handle) {
    GENTL_ENTRY;
    struct stream *stream = find_stream(handle);
    struct buffer *buffer = stream ? stream_buffer(stream, buffer_handle) : NULL;
    if (!buffer)
        return refuse_handle(stream ? "buffer of this stream" : "data stream");
    if (buffer->state != BUFFER_IDLE && buffer->state != BUFFER_TAKEN)
        return refuse(GC_ERR_RESOURCE_IN_USE, "the buffer is already in a queue");
    buffer->block = (struct block){.frame_id = 0};
    queue_push(&stream->input, buffer, BUFFER_QUEUED);
    tell_change(stream);
    return GC_ERR_SUCCESS;
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
    tell_change(stream);
    return GC_ERR_SUCCESS;
}

GC_API DSFlushQueue(DS_HANDLE handle, ACQ_QUEUE_TYPE operation) {
    GENTL_ENTRY;
    struct stream *stream = find_stream(handle);
    return stream ? flush(stream, operation) : refuse_handle("data stream");
}
