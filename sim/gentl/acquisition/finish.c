/* What a consumer gets of a block. */
#include <string.h>

#include "acquisition/acquisition.h"
#include "camera/settings.h"

/* Appends the chunks; the encoder's values of lines that were exposed are there, those of others become 0. */
static void append_chunks(const struct block *block, uint8_t *image, uint32_t exposed) {
    for (unsigned chunk = 0; chunk < CHUNK_COUNT; chunk++)
        if (block->chunks & 1u << chunk && chunk != CHUNK_ENCODER)
            memcpy(image + block->image_size + chunk_offset(block->chunks, chunk, block->height),
                   &block->values[chunk], CHUNK_BYTES);
    uint8_t *encoder = encoder_chunk(block, image);
    if (encoder)
        memset(encoder + (size_t)exposed * CHUNK_BYTES, 0, (size_t)(block->height - exposed) * CHUNK_BYTES);
}

void block_finish(struct block *block, struct buffer *buffer, const struct hit *hit, size_t pitch) {
    const uint32_t exposed = block->lines;
    bool partial = hit->fault == FAULT_PARTIAL_INCOMPLETE || hit->fault == FAULT_PARTIAL_COMPLETE;
    if (partial && hit->lines < block->lines)
        block->lines = hit->lines;
    if (block->too_large)
        block->lines = 0;
    bool cut_short = block->lines < block->height && !partial;
    block->incomplete =
        cut_short || hit->fault == FAULT_PARTIAL_INCOMPLETE || hit->fault == FAULT_ALWAYS_INCOMPLETE;
    block->filled = block->lines * pitch;
    if (block->too_large)
        return;
    memset(buffer->base + block->filled, 0, block->image_size - block->filled);
    if (!block->chunks)
        return;
    append_chunks(block, buffer->base, exposed);
    block->filled = block->data;
}
