/* One block: its number, its buffer, its lines, and its way to the consumer. */
#include "acquisition/acquisition.h"
#include "base/clock.h"
#include "base/producer.h"
#include "camera/settings.h"

static const uint64_t IDLE_LOOK_NS = 5 * NS_PER_MS;

static bool consumer_ready(const struct stream *stream) {
    return stream->grabbing && stream->input.length > 0 && stream->output.length == 0;
}

/* Waits, at maximum pace, until there is a buffer to fill and the block before has been taken. */
static void await_consumer(struct acquisition *acquisition) {
    struct camera *camera = acquisition->camera;
    while (!acquisition_ended(acquisition) && !consumer_ready(camera->stream)) {
        camera_wait_until(camera, clock_now_ns() + IDLE_LOOK_NS);
        if (!consumer_ready(camera->stream))
            acquisition_await_view(acquisition);
    }
}

/* The number that the block has by the set-up; `count` is its number in this acquisition. */
static uint64_t number_block(struct registers *registers, uint64_t count) {
    uint32_t number = registers->next_frame_id;
    if (number)
        registers->next_frame_id = number == FRAME_ID_LAST ? 1 : number + 1;
    return number ? number : count;
}

static struct block describe(const struct acquisition *acquisition, uint64_t frame_id) {
    const struct pixels *pixels = &acquisition->exposure.pixels;
    size_t image_size = pixels_pitch(pixels) * acquisition->height;
    return (struct block){.frame_id = frame_id,
                          .values[CHUNK_FRAME_ID] = frame_id,
                          .width = pixels->width,
                          .height = acquisition->height,
                          .offset_x = pixels->offset_x,
                          .pixel_format = pixels->format,
                          .big_endian = pixels->big_endian,
                          .image_size = image_size,
                          .data = image_size + chunks_size(acquisition->chunks, acquisition->height),
                          .chunks = acquisition->chunks};
}

static void await_lines(struct acquisition *acquisition, struct block *block, uint8_t *image, const struct hit *hit) {
    if (hit->fault == FAULT_DROP_LINES) {
        lines_await(acquisition, block, image, acquisition->height / 2);
        exposure_skip(&acquisition->exposure, hit->lines);
    }
    lines_await(acquisition, block, image, acquisition->height);
}

static void hand_over(struct acquisition *acquisition, struct block *block, struct buffer *buffer,
                      const struct hit *hit) {
    struct camera *camera = acquisition->camera;
    bool discarded = camera->ending == END_ABORT || camera->cable != CABLE_IN || block->lines == 0;
    if (discarded && !block->too_large) {
        stream_give_back(camera->stream, buffer);
        return;
    }
    block_finish(block, buffer, hit, pixels_pitch(&acquisition->exposure.pixels));
    buffer->block = *block;
    stream_deliver(camera->stream, buffer);
}

/* Keeps the whole block back for a while. */
static void await_delay(struct acquisition *acquisition, uint64_t until_ns) {
    struct camera *camera = acquisition->camera;
    while (!acquisition_ended(acquisition) && !camera->stream->killed && clock_now_ns() < until_ns)
        camera_wait_until(camera, until_ns);
}

/* The buffer for the block; NULL when it is lost. */
static struct buffer *buffer_for(struct camera *camera, enum fault fault) {
    if (fault == FAULT_UNDERRUN)
        camera->stream->underruns++;
    bool lost = fault == FAULT_DROP_FRAME || fault == FAULT_UNDERRUN;
    return lost ? NULL : stream_take_input(camera->stream);
}

void block_await(struct acquisition *acquisition, uint64_t count, const struct hit *hit, enum scene_pace pace) {
    struct camera *camera = acquisition->camera;
    struct block block = describe(acquisition, number_block(&camera->registers, count));
    if (pace == PACE_MAX)
        await_consumer(acquisition);
    if (acquisition_ended(acquisition))
        return;
    struct buffer *buffer = buffer_for(camera, hit->fault);
    block.too_large = buffer && buffer->size < block.data;
    uint8_t *image = buffer && !block.too_large ? buffer->base : NULL;
    await_lines(acquisition, &block, image, hit);
    block.timestamp_ns = pace == PACE_MAX ? clock_now_ns() : acquisition->exposure.end_ns;
    if (hit->fault == FAULT_LATE_BLOCK || hit->fault == FAULT_SLOW)
        await_delay(acquisition, block.timestamp_ns + hit->time_ms * NS_PER_MS);
    if (buffer)
        hand_over(acquisition, &block, buffer, hit);
    else
        producer_log("block %llu is lost", (unsigned long long)count);
}
