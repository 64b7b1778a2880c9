/* Lines of a block, a batch at a time. */
#include "acquisition/acquisition.h"
#include "base/clock.h"
#include "base/producer.h"
#include "camera/settings.h"

static const uint64_t BATCH_NS = 2 * NS_PER_MS; /* lines are copied in batches of about this long */

uint8_t *encoder_chunk(const struct block *block, uint8_t *image) {
    if (!image || !(block->chunks & 1u << CHUNK_ENCODER))
        return NULL;
    return image + block->image_size + chunk_offset(block->chunks, CHUNK_ENCODER, block->height);
}

static int64_t take_unlocked(struct exposure *exposure, uint8_t *image, uint8_t *encoder, uint32_t lines) {
    UNLOCKED;
    return exposure_take(exposure, image, encoder, lines);
}

/* Exposes lines into the buffer that only this thread may touch; the block's line status is its first line's. */
static void await_exposed(struct acquisition *acquisition, struct block *block, uint8_t *image, uint32_t lines) {
    struct exposure *exposure = &acquisition->exposure;
    struct camera *camera = acquisition->camera;
    exposure->encoder_zero = camera->encoder_zero;
    uint8_t *encoder = encoder_chunk(block, image);
    encoder = encoder ? encoder + (size_t)block->lines * CHUNK_BYTES : NULL;
    image = image ? image + block->lines * pixels_pitch(&exposure->pixels) : NULL;
    int64_t position = take_unlocked(exposure, image, encoder, lines);
    if (block->lines == 0)
        block->values[CHUNK_LINE_STATUS] = camera_line_status(position, exposure->turn_lines);
    block->lines += lines;
    camera->position = exposure->position;
    camera->turn_lines = exposure->turn_lines;
}

/* One line with every software trigger. */
static uint32_t due_by_software(struct acquisition *acquisition, uint64_t now_ns) {
    bool *given = &acquisition->camera->software_trigger[TRIGGER_LINE_START];
    if (!*given)
        return 0;
    *given = false;
    acquisition->exposure.origin_ns = now_ns;
    acquisition->exposure.end_ns = now_ns + (uint64_t)acquisition->exposure.line_ns;
    return 1;
}

void lines_await(struct acquisition *acquisition, struct block *block, uint8_t *image, uint32_t until) {
    struct exposure *exposure = &acquisition->exposure;
    struct camera *camera = acquisition->camera;
    while (block->lines < until) {
        const struct scene_view view = acquisition_await_view(acquisition);
        if (acquisition_ended(acquisition) || camera->stream->killed)
            return;
        struct exposure_wake wake = {UINT64_MAX, UINT64_MAX};
        uint64_t now = clock_now_ns();
        uint32_t due = exposure->start == LINES_BY_SOFTWARE
                           ? due_by_software(acquisition, now)
                           : exposure_due(exposure, &view, now, until - block->lines, &wake);
        if (due) {
            await_exposed(acquisition, block, image, due);
            continue;
        }
        uint64_t batch = now + BATCH_NS; /* a line that comes later than this may have been rescheduled by then */
        camera_wait_until(camera, batch < wake.last_ns ? batch : wake.last_ns);
    }
}
