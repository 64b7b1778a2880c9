/* What a consumer may ask about a buffer: its block, its chunks, its parts. */
#include "base/handles.h"
#include "base/producer.h"
#include "camera/camera.h"
#include "camera/settings.h"
#include "stream/stream.h"

static GC_ERROR memory_info(struct buffer *buffer, BUFFER_INFO_CMD command, struct answer to) {
    switch (command) {
    case BUFFER_INFO_BASE:
        return answer_pointer(to, buffer->base);
    case BUFFER_INFO_SIZE:
        return answer_size(to, buffer->size);
    case BUFFER_INFO_USER_PTR:
        return answer_pointer(to, buffer->user);
    case BUFFER_INFO_NEW_DATA:
        return answer_bool(to, buffer->state == BUFFER_FILLED || buffer->state == BUFFER_TAKEN);
    case BUFFER_INFO_IS_QUEUED:
        return answer_bool(to, buffer->state == BUFFER_QUEUED || buffer->state == BUFFER_FILLING);
    case BUFFER_INFO_IS_ACQUIRING:
        return answer_bool(to, buffer->state == BUFFER_FILLING);
    case BUFFER_INFO_TLTYPE:
        return answer_text(to, TL_TYPE);
    default:
        return refuse(GC_ERR_NOT_IMPLEMENTED, "no buffer information %d", (int)command);
    }
}

static GC_ERROR image_info(struct buffer *buffer, BUFFER_INFO_CMD command, struct answer to) {
    const struct block *block = &buffer->block;
    switch (command) {
    case BUFFER_INFO_WIDTH:
        return answer_size(to, block->width);
    case BUFFER_INFO_HEIGHT:
        return answer_size(to, block->height);
    case BUFFER_INFO_XOFFSET:
        return answer_size(to, block->offset_x);
    case BUFFER_INFO_YOFFSET:
    case BUFFER_INFO_XPADDING:
    case BUFFER_INFO_YPADDING:
    case BUFFER_INFO_IMAGEOFFSET:
        return answer_size(to, 0);
    case BUFFER_INFO_DELIVERED_IMAGEHEIGHT:
        return answer_size(to, block->lines);
    case BUFFER_INFO_IMAGEPRESENT:
        return answer_bool(to, block->lines > 0);
    case BUFFER_INFO_PIXELFORMAT:
        return answer_uint64(to, block->pixel_format);
    case BUFFER_INFO_PIXELFORMAT_NAMESPACE:
        return answer_uint64(to, PIXELFORMAT_NAMESPACE_PFNC_32BIT);
    case BUFFER_INFO_PIXEL_ENDIANNESS:
        return answer_int32(to, block->big_endian ? PIXELENDIANNESS_BIG : PIXELENDIANNESS_LITTLE);
    default:
        return memory_info(buffer, command, to);
    }
}

static GC_ERROR buffer_info(struct buffer *buffer, BUFFER_INFO_CMD command, struct answer to) {
    const struct block *block = &buffer->block;
    switch (command) {
    case BUFFER_INFO_TIMESTAMP:
    case BUFFER_INFO_TIMESTAMP_NS:
        return answer_uint64(to, block->timestamp_ns);
    case BUFFER_INFO_FRAMEID:
        return answer_uint64(to, block->frame_id);
    case BUFFER_INFO_IS_INCOMPLETE:
        return answer_bool(to, block->incomplete);
    case BUFFER_INFO_SIZE_FILLED:
        return answer_size(to, block->filled);
    case BUFFER_INFO_DATA_SIZE:
        return answer_size(to, block->data);
    case BUFFER_INFO_DATA_LARGER_THAN_BUFFER:
        return answer_bool(to, block->too_large);
    case BUFFER_INFO_PAYLOADTYPE:
        return answer_size(to, PAYLOAD_TYPE_IMAGE);
    case BUFFER_INFO_CONTAINS_CHUNKDATA:
        return answer_bool(to, block->chunks != 0);
    case BUFFER_INFO_DELIVERED_CHUNKPAYLOADSIZE:
        return answer_size(to, chunks_size(block->chunks, block->height));
    case BUFFER_INFO_CHUNKLAYOUTID:
        return answer_uint64(to, block->chunks);
    case BUFFER_INFO_IS_COMPOSITE:
        return answer_bool(to, false);
    default:
        return image_info(buffer, command, to);
    }
}

GC_API DSGetBufferInfo(DS_HANDLE handle, BUFFER_HANDLE buffer_handle, BUFFER_INFO_CMD command, INFO_DATATYPE *type,
                       void *value, size_t *size) {
    GENTL_ENTRY;
    const struct stream *stream = handle_object(handle, MODULE_STREAM);
    struct buffer *buffer = stream ? stream_buffer(stream, buffer_handle) : NULL;
    if (!buffer)
        return refuse_handle(stream ? "buffer of this stream" : "data stream");
    return buffer_info(buffer, command, (struct answer){type, value, size});
}

GC_API DSGetBufferID(DS_HANDLE handle, uint32_t index, BUFFER_HANDLE *buffer_handle) {
    GENTL_ENTRY;
    const struct stream *stream = handle_object(handle, MODULE_STREAM);
    if (!stream)
        return refuse_handle("data stream");
    if (!buffer_handle)
        return refuse_argument("the buffer handle");
    const struct buffer *buffer = stream->announced;
    while (buffer && index--)
        buffer = buffer->next_announced;
    if (!buffer)
        return refuse(GC_ERR_INVALID_INDEX, "there is no such buffer");
    *buffer_handle = buffer->handle;
    return GC_ERR_SUCCESS;
}

static GC_ERROR list_chunks(const struct block *block, SINGLE_CHUNK_DATA *chunks, size_t *count) {
    if (!block->chunks || block->too_large)
        return refuse(GC_ERR_NO_DATA, "the buffer holds no chunks");
    size_t there = 0;
    for (unsigned chunk = 0; chunk < CHUNK_COUNT; chunk++)
        there += block->chunks >> chunk & 1u;
    if (chunks && *count < there)
        return refuse(GC_ERR_BUFFER_TOO_SMALL, "there are %zu chunks", there);
    for (unsigned chunk = 0; chunks && chunk < CHUNK_COUNT; chunk++)
        if (block->chunks & 1u << chunk) {
            ptrdiff_t offset = (ptrdiff_t)(block->image_size + chunk_offset(block->chunks, chunk, block->height));
            *chunks++ = (SINGLE_CHUNK_DATA){CHUNK_ID_FIRST + chunk, offset, chunk_size(chunk, block->height)};
        }
    *count = there;
    return GC_ERR_SUCCESS;
}

GC_API DSGetBufferChunkData(DS_HANDLE handle, BUFFER_HANDLE buffer_handle, SINGLE_CHUNK_DATA *chunks, size_t *count) {
    GENTL_ENTRY;
    const struct stream *stream = handle_object(handle, MODULE_STREAM);
    const struct buffer *buffer = stream ? stream_buffer(stream, buffer_handle) : NULL;
    if (!buffer)
        return refuse_handle(stream ? "buffer of this stream" : "data stream");
    return count ? list_chunks(&buffer->block, chunks, count) : refuse_argument("the number of chunks");
}

GC_API DSGetNumBufferParts(DS_HANDLE handle, BUFFER_HANDLE buffer_handle, uint32_t *count) {
    GENTL_ENTRY;
    const struct stream *stream = handle_object(handle, MODULE_STREAM);
    if (!stream || !stream_buffer(stream, buffer_handle))
        return refuse_handle(stream ? "buffer of this stream" : "data stream");
    if (!count)
        return refuse_argument("the number of parts");
    return refuse(GC_ERR_NO_DATA, "the payload is one image, not parts");
}

GC_API DSGetBufferPartInfo(DS_HANDLE handle, BUFFER_HANDLE buffer_handle, uint32_t part, BUFFER_PART_INFO_CMD command,
                           INFO_DATATYPE *type, void *value, size_t *size) {
    GENTL_ENTRY;
    (void)command, (void)type, (void)value, (void)size;
    const struct stream *stream = handle_object(handle, MODULE_STREAM);
    if (!stream || !stream_buffer(stream, buffer_handle))
        return refuse_handle(stream ? "buffer of this stream" : "data stream");
    return refuse(GC_ERR_INVALID_INDEX, "there is no part %u: the payload is one image", part);
}
