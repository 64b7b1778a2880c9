/* The data stream's own life and its engine. */
#include "stream/stream.h"

#include "base/handles.h"
#include "base/producer.h"
#include "camera/camera.h"
#include "camera/settings.h"

static struct stream *find_stream(DS_HANDLE handle) {
    return handle_object(handle, MODULE_STREAM);
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

/* Ends filling: at once when killed, else with the block that is being filled. */
static void stop_engine(struct stream *stream, ACQ_STOP_FLAGS flags) {
    if (flags == ACQ_STOP_FLAGS_KILL)
        stream->killed = true;
    stream->grabbing = false;
    camera_tell_change(stream->camera);
    while (stream->filling)
        camera_await_change(stream->camera);
    stream->killed = false;
}

void stream_close(struct stream *stream) {
    while (stream->closing)
        camera_await_change(stream->camera);
    if (!stream->handle)
        return;
    stream->closing = true;
    handle_close(stream->handle);
    stop_engine(stream, ACQ_STOP_FLAGS_KILL);
    event_close(stream);
    stream_forget_buffers(stream);
    *stream = (struct stream){.camera = stream->camera};
    camera_tell_change(stream->camera);
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
    camera_tell_change(stream->camera);
    return GC_ERR_SUCCESS;
}

GC_API DSStopAcquisition(DS_HANDLE handle, ACQ_STOP_FLAGS flags) {
    GENTL_ENTRY;
    struct stream *stream = find_stream(handle);
    if (!stream)
        return refuse_handle("data stream");
    if (flags != ACQ_STOP_FLAGS_DEFAULT && flags != ACQ_STOP_FLAGS_KILL)
        return refuse(GC_ERR_INVALID_PARAMETER, "unknown stop flags %d", (int)flags);
    faults_sit_out(stream->camera, CALL_STOP_ACQUISITION);
    if (!find_stream(handle))
        return refuse_handle("data stream");
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
    camera_tell_change(stream->camera);
}

void stream_give_back(struct stream *stream, struct buffer *buffer) {
    queue_push(&stream->input, buffer, BUFFER_QUEUED);
    stream->filling = NULL;
    camera_tell_change(stream->camera);
}
