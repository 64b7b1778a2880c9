/* Blocks of one acquisition: exposed line by line, each handed to the stream. */
#include "acquisition.h"

#include <string.h>

#include "clock.h"

static const uint64_t BATCH_NS = 2 * NS_PER_MS; /* lines are copied in batches of about this long */
static const uint64_t IDLE_LOOK_NS = 5 * NS_PER_MS;

static enum line_start line_start_of(const struct registers *registers) {
    const struct trigger *trigger = &registers->triggers[TRIGGER_LINE_START];
    if (!trigger->mode)
        return LINES_BY_CLOCK;
    return trigger->source == SOURCE_SOFTWARE ? LINES_BY_SOFTWARE : LINES_BY_JIG;
}

static struct acquisition prepare(struct camera *camera) {
    const struct registers *registers = &camera->registers;
    uint64_t blocks = registers->acquisition_mode == MODE_SINGLE_FRAME  ? 1
                      : registers->acquisition_mode == MODE_MULTI_FRAME ? registers->acquisition_frame_count
                                                                        : UINT64_MAX;
    bool index_lines = registers->triggers[TRIGGER_LINE_START].source == SOURCE_LINE0;
    return (struct acquisition){.camera = camera,
                                .exposure = {.scene = &camera->scene,
                                             .pixels = pixels_of(registers, camera->acquisitions++),
                                             .start = line_start_of(registers),
                                             .line_ns = (double)NS_PER_S / registers_line_rate_hz(registers),
                                             .pulse_rows = index_lines ? 0 : registers->encoder_divider},
                                .height = registers->height,
                                .chunks = registers_chunks(registers),
                                .blocks = blocks};
}

bool acquisition_ended(const struct acquisition *acquisition) {
    const struct camera *camera = acquisition->camera;
    return camera->ending != END_NOT || camera->cable != CABLE_IN;
}

struct scene_view acquisition_look(struct acquisition *acquisition) {
    struct camera *camera = acquisition->camera;
    pthread_mutex_unlock(&producer_mutex);
    scene_refresh(&camera->scene);
    const struct scene_view view = scene_look(&camera->scene);
    pthread_mutex_lock(&producer_mutex);
    camera_note_scene(camera);
    faults_at_once(camera, &view);
    while (faults_hang(camera, CALL_EVENT_GET_DATA) && !acquisition_ended(acquisition))
        camera_wait_until(camera, camera->hang_end_ns);
    return view;
}

/* ---- lines ---- */

/* Where the encoder's values of a block's lines go, behind its image; NULL: nowhere. */
static uint8_t *encoder_chunk(const struct block *block, uint8_t *image) {
    if (!image || !(block->chunks & 1u << CHUNK_ENCODER))
        return NULL;
    return image + block->image_size + chunk_offset(block->chunks, CHUNK_ENCODER, block->height);
}

/* Exposes lines while others may use the producer; the block's line status is its first line's. */
static void expose(struct acquisition *acquisition, struct block *block, uint8_t *image, uint32_t lines) {
    struct exposure *exposure = &acquisition->exposure;
    exposure->encoder_zero = acquisition->camera->encoder_zero;
    pthread_mutex_unlock(&producer_mutex);
    size_t done = block->lines * pixels_pitch(&exposure->pixels);
    uint8_t *encoder = encoder_chunk(block, image);
    encoder = encoder ? encoder + (size_t)block->lines * CHUNK_BYTES : NULL;
    int64_t position = exposure_take(exposure, image ? image + done : NULL, encoder, lines);
    pthread_mutex_lock(&producer_mutex);
    if (block->lines == 0)
        block->values[CHUNK_LINE_STATUS] = camera_line_status(position, exposure->turn_lines);
    block->lines += lines;
    acquisition->camera->position = exposure->position;
    acquisition->camera->turn_lines = exposure->turn_lines;
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

/* Exposes the block up to `until` lines, each when its time comes, or all at once at maximum pace; less when the
 * acquisition ends or is killed. */
static void expose_until(struct acquisition *acquisition, struct block *block, uint8_t *image, uint32_t until) {
    struct exposure *exposure = &acquisition->exposure;
    struct camera *camera = acquisition->camera;
    while (block->lines < until) {
        const struct scene_view view = acquisition_look(acquisition);
        if (acquisition_ended(acquisition) || camera->stream.killed)
            return;
        struct exposure_wake wake = {UINT64_MAX, UINT64_MAX};
        uint64_t now = clock_now_ns();
        uint32_t due = exposure->start == LINES_BY_SOFTWARE
                           ? due_by_software(acquisition, now)
                           : exposure_due(exposure, &view, now, until - block->lines, &wake);
        if (due) {
            expose(acquisition, block, image, due);
            continue;
        }
        uint64_t batch = now + BATCH_NS; /* a line that comes later than this may have been rescheduled by then */
        camera_wait_until(camera, batch < wake.last_ns ? batch : wake.last_ns);
    }
}

static void expose_block(struct acquisition *acquisition, struct block *block, uint8_t *image, const struct hit *hit) {
    if (hit->fault == FAULT_DROP_LINES) {
        expose_until(acquisition, block, image, acquisition->height / 2);
        exposure_skip(&acquisition->exposure, hit->lines);
    }
    expose_until(acquisition, block, image, acquisition->height);
}

/* ---- blocks ---- */

static bool consumer_ready(const struct stream *stream) {
    return stream->grabbing && stream->input.length > 0 && stream->output.length == 0;
}

/* Waits, at maximum pace, until there is a buffer to fill and the block before has been taken. */
static void await_consumer(struct acquisition *acquisition) {
    struct camera *camera = acquisition->camera;
    while (!acquisition_ended(acquisition) && !consumer_ready(&camera->stream)) {
        camera_wait_until(camera, clock_now_ns() + IDLE_LOOK_NS);
        if (!consumer_ready(&camera->stream))
            acquisition_look(acquisition);
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

/* Cuts what a fault withholds, blackens what is missing, appends the chunks. */
static void finish(struct acquisition *acquisition, struct block *block, struct buffer *buffer, const struct hit *hit) {
    const uint32_t exposed = block->lines;
    bool partial = hit->fault == FAULT_PARTIAL_INCOMPLETE || hit->fault == FAULT_PARTIAL_COMPLETE;
    if (partial && hit->lines < block->lines)
        block->lines = hit->lines;
    if (block->too_large)
        block->lines = 0;
    bool cut_short = block->lines < block->height && !partial;
    block->incomplete =
        cut_short || hit->fault == FAULT_PARTIAL_INCOMPLETE || hit->fault == FAULT_ALWAYS_INCOMPLETE;
    block->filled = block->lines * pixels_pitch(&acquisition->exposure.pixels);
    if (block->too_large)
        return;
    memset(buffer->base + block->filled, 0, block->image_size - block->filled);
    if (!block->chunks)
        return;
    append_chunks(block, buffer->base, exposed);
    block->filled = block->data;
}

static void hand_over(struct acquisition *acquisition, struct block *block, struct buffer *buffer,
                      const struct hit *hit) {
    struct camera *camera = acquisition->camera;
    bool discarded = camera->ending == END_ABORT || camera->cable != CABLE_IN || block->lines == 0;
    if (discarded && !block->too_large) {
        stream_give_back(&camera->stream, buffer);
        return;
    }
    finish(acquisition, block, buffer, hit);
    buffer->block = *block;
    stream_deliver(&camera->stream, buffer);
}

/* Keeps the whole block back for a while. */
static void dawdle(struct acquisition *acquisition, uint64_t until_ns) {
    struct camera *camera = acquisition->camera;
    while (!acquisition_ended(acquisition) && !camera->stream.killed && clock_now_ns() < until_ns)
        camera_wait_until(camera, until_ns);
}

/* The buffer for the block; NULL when it is lost. */
static struct buffer *buffer_for(struct camera *camera, enum fault fault) {
    if (fault == FAULT_UNDERRUN)
        camera->stream.underruns++;
    bool lost = fault == FAULT_DROP_FRAME || fault == FAULT_UNDERRUN;
    return lost ? NULL : stream_take_input(&camera->stream);
}

static void take_block(struct acquisition *acquisition, uint64_t frame_id, const struct hit *hit,
                       enum scene_pace pace) {
    struct camera *camera = acquisition->camera;
    struct block block = describe(acquisition, number_block(&camera->registers, frame_id));
    if (pace == PACE_MAX)
        await_consumer(acquisition);
    if (acquisition_ended(acquisition))
        return;
    struct buffer *buffer = buffer_for(camera, hit->fault);
    block.too_large = buffer && buffer->size < block.data;
    uint8_t *image = buffer && !block.too_large ? buffer->base : NULL;
    expose_block(acquisition, &block, image, hit);
    block.timestamp_ns = pace == PACE_MAX ? clock_now_ns() : acquisition->exposure.end_ns;
    if (hit->fault == FAULT_LATE_BLOCK || hit->fault == FAULT_SLOW)
        dawdle(acquisition, block.timestamp_ns + hit->time_ms * NS_PER_MS);
    if (buffer)
        hand_over(acquisition, &block, buffer, hit);
    else
        producer_log("block %llu is lost", (unsigned long long)frame_id);
}

void acquisition_run(struct camera *camera) {
    struct acquisition acquisition = prepare(camera);
    bool running = trigger_await(&acquisition, TRIGGER_ACQUISITION_START);
    for (uint64_t frame_id = 1; running && frame_id <= acquisition.blocks; frame_id++) {
        if (!trigger_await(&acquisition, TRIGGER_FRAME_START))
            return;
        struct scene_view view = acquisition_look(&acquisition);
        const struct hit hit = faults_take(camera, &view, frame_id);
        if (hit.fault == FAULT_HANG)
            view = acquisition_look(&acquisition);
        if (!acquisition_ended(&acquisition))
            take_block(&acquisition, frame_id, &hit, view.pace);
        running = !acquisition_ended(&acquisition);
    }
}
