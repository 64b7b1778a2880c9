/* One acquisition: wait for its trigger, expose block after block, hand each to the stream. */
#include <string.h>

#include "camera.h"
#include "clock.h"
#include "exposure.h"

static const uint64_t LOOK_NS = 1 * NS_PER_MS;  /* how often a waiting camera looks at the scene */
static const uint64_t BATCH_NS = 2 * NS_PER_MS; /* lines are copied in batches of about this long */

/* Settings are taken over when the acquisition starts and hold until it ends. */
struct acquisition {
    struct camera *camera;
    struct exposure exposure;
    uint32_t height;
    bool chunked;
    uint64_t blocks; /* to take; UINT64_MAX: until stopped */
};

static struct acquisition prepare(struct camera *camera) {
    const struct registers *registers = &camera->registers;
    uint64_t blocks = registers->acquisition_mode == MODE_SINGLE_FRAME  ? 1
                      : registers->acquisition_mode == MODE_MULTI_FRAME ? registers->acquisition_frame_count
                                                                        : UINT64_MAX;
    return (struct acquisition){.camera = camera,
                                .exposure = {.scene = &camera->scene,
                                             .width = registers->width,
                                             .offset_x = registers->offset_x,
                                             .pixel_format = registers->pixel_format,
                                             .line_ns = (double)NS_PER_S / registers->line_rate_hz},
                                .height = registers->height,
                                .chunked = registers->chunk_mode_active != 0,
                                .blocks = blocks};
}

static bool ended(const struct acquisition *acquisition) {
    const struct camera *camera = acquisition->camera;
    return camera->ending != END_NOT || camera->cable != CABLE_IN || camera->hung;
}

/* ---- triggers ---- */

static bool await_software(struct acquisition *acquisition, enum trigger_selector selector) {
    struct camera *camera = acquisition->camera;
    while (!ended(acquisition) && !camera->software_trigger[selector])
        pthread_cond_wait(&camera->changed, &producer_mutex);
    camera->software_trigger[selector] = false;
    exposure_begin(&acquisition->exposure, clock_now_ns());
    return !ended(acquisition);
}

/* Looks at the scene, or for it, while others may use the producer. */
static struct scene_view look(struct acquisition *acquisition) {
    struct scene *scene = &acquisition->camera->scene;
    pthread_mutex_unlock(&producer_mutex);
    scene_refresh(scene);
    struct scene_view view = scene_look(scene);
    pthread_mutex_lock(&producer_mutex);
    camera_note_scene(acquisition->camera);
    return view;
}

/* Waits for the jig's next pulse: its index, or its encoder's, one a row. The lines begin at the pulse's own computed
 * time, not at the time at which it was noticed. */
static bool await_jig(struct acquisition *acquisition, uint32_t source) {
    uint64_t since = clock_now_ns();
    while (!ended(acquisition)) {
        struct scene_view view = look(acquisition);
        uint64_t now = clock_now_ns();
        uint64_t pulse = UINT64_MAX;
        if (view.motion == MOTION_STEPPED)
            pulse = now;
        else if (view.motion == MOTION_TIMED)
            pulse = scene_pulse_after(&view, source == SOURCE_LINE0 ? 1 : view.turn_lines, since);
        if (pulse <= now) {
            exposure_begin(&acquisition->exposure, pulse);
            return !ended(acquisition);
        }
        since = now;
        camera_wait_until(acquisition->camera, pulse < now + LOOK_NS ? pulse : now + LOOK_NS);
    }
    return false;
}

/* Begins the lines when the trigger comes, at once if it is off. False when the acquisition was ended meanwhile. */
static bool await_trigger(struct acquisition *acquisition, enum trigger_selector selector) {
    const struct trigger *trigger = &acquisition->camera->registers.triggers[selector];
    if (!trigger->mode) {
        if (selector == TRIGGER_ACQUISITION_START)
            exposure_begin(&acquisition->exposure, clock_now_ns());
        return !ended(acquisition);
    }
    if (trigger->source == SOURCE_SOFTWARE)
        return await_software(acquisition, selector);
    return await_jig(acquisition, trigger->source);
}

/* ---- blocks ---- */

/* Exposes lines while others may use the producer; the block's position is its first line's. */
static void expose(struct acquisition *acquisition, struct block *block, uint8_t *image, uint32_t lines) {
    pthread_mutex_unlock(&producer_mutex);
    size_t done = block->lines * exposure_pitch(&acquisition->exposure);
    int64_t position = exposure_take(&acquisition->exposure, image ? image + done : NULL, lines);
    pthread_mutex_lock(&producer_mutex);
    if (block->lines == 0)
        block->encoder = position;
    block->lines += lines;
}

/* Exposes the block up to `until` lines, each when its time comes; less when the acquisition ends or is killed. */
static void expose_in_time(struct acquisition *acquisition, struct block *block, uint8_t *image, uint32_t until) {
    const struct exposure *exposure = &acquisition->exposure;
    struct camera *camera = acquisition->camera;
    while (block->lines < until && !ended(acquisition) && !camera->stream.killed) {
        uint64_t now = clock_now_ns();
        uint32_t missing = until - block->lines;
        uint32_t due = exposure_due(exposure, now, missing);
        if (due) {
            expose(acquisition, block, image, due);
            continue;
        }
        uint64_t next = exposure_line_end(exposure, exposure->line);
        uint64_t last = exposure_line_end(exposure, exposure->line + missing - 1);
        uint64_t batch = next > now + BATCH_NS ? next : now + BATCH_NS;
        camera_wait_until(camera, batch < last ? batch : last);
    }
}

/* At maximum pace no time passes: everything at once, and released when the block before has been taken. */
static void expose_at_once(struct acquisition *acquisition, struct block *block, uint8_t *image, uint32_t until) {
    expose(acquisition, block, image, until - block->lines);
}

typedef void expose_function(struct acquisition *, struct block *, uint8_t *, uint32_t);

static void expose_block(struct acquisition *acquisition, struct block *block, uint8_t *image, enum fault fault,
                         enum scene_pace pace) {
    expose_function *expose_until = pace == PACE_MAX ? expose_at_once : expose_in_time;
    if (fault == FAULT_DROP_LINES) {
        expose_until(acquisition, block, image, acquisition->height / 2);
        exposure_skip(&acquisition->exposure, acquisition->camera->registers.fault_lines);
    }
    expose_until(acquisition, block, image, acquisition->height);
    block->timestamp_ns =
        pace == PACE_MAX ? clock_now_ns() : exposure_line_end(&acquisition->exposure, acquisition->exposure.line - 1);
}

/* Waits, at maximum pace, until there is a buffer to fill and the block before has been taken. */
static void await_consumer(struct acquisition *acquisition) {
    struct camera *camera = acquisition->camera;
    struct stream *stream = &camera->stream;
    while (!ended(acquisition) && !(stream->grabbing && stream->input.length > 0 && stream->output.length == 0))
        pthread_cond_wait(&camera->changed, &producer_mutex);
}

static struct block describe(const struct acquisition *acquisition, uint64_t frame_id) {
    const struct exposure *exposure = &acquisition->exposure;
    size_t image_size = exposure_pitch(exposure) * acquisition->height;
    return (struct block){.frame_id = frame_id,
                          .width = exposure->width,
                          .height = acquisition->height,
                          .offset_x = exposure->offset_x,
                          .pixel_format = exposure->pixel_format,
                          .image_size = image_size,
                          .data = image_size + (acquisition->chunked ? CHUNK_BYTES : 0),
                          .chunked = acquisition->chunked};
}

/* Cuts what a fault withholds, blackens what is missing, appends the chunks. */
static void finish(struct acquisition *acquisition, struct block *block, struct buffer *buffer, enum fault fault) {
    uint32_t limit = acquisition->camera->registers.fault_lines;
    bool partial = fault == FAULT_PARTIAL_INCOMPLETE || fault == FAULT_PARTIAL_COMPLETE;
    if (partial && limit < block->lines)
        block->lines = limit;
    if (block->too_large)
        block->lines = 0;
    bool cut_short = block->lines < block->height && !partial;
    block->incomplete = cut_short || fault == FAULT_PARTIAL_INCOMPLETE || fault == FAULT_ALWAYS_INCOMPLETE;
    block->filled = block->lines * exposure_pitch(&acquisition->exposure);
    if (block->too_large)
        return;
    memset(buffer->base + block->filled, 0, block->image_size - block->filled);
    if (block->chunked) {
        memcpy(buffer->base + block->image_size, &block->frame_id, sizeof block->frame_id);
        memcpy(buffer->base + block->image_size + 8, &block->encoder, sizeof block->encoder);
        block->filled = block->data;
    }
}

static void hand_over(struct acquisition *acquisition, struct block *block, struct buffer *buffer, enum fault fault) {
    struct camera *camera = acquisition->camera;
    bool discarded = camera->ending == END_ABORT || camera->cable != CABLE_IN || block->lines == 0;
    if (discarded && !block->too_large) {
        stream_give_back(&camera->stream, buffer);
        return;
    }
    finish(acquisition, block, buffer, fault);
    buffer->block = *block;
    stream_deliver(&camera->stream, buffer);
}

static void take_block(struct acquisition *acquisition, uint64_t frame_id, enum fault fault) {
    struct camera *camera = acquisition->camera;
    struct block block = describe(acquisition, frame_id);
    enum scene_pace pace = look(acquisition).pace;
    if (pace == PACE_MAX)
        await_consumer(acquisition);
    if (ended(acquisition))
        return;
    struct buffer *buffer = fault == FAULT_DROP_FRAME ? NULL : stream_take_input(&camera->stream);
    block.too_large = buffer && buffer->size < block.data;
    uint8_t *image = buffer && !block.too_large ? buffer->base : NULL;
    expose_block(acquisition, &block, image, fault, pace);
    if (buffer)
        hand_over(acquisition, &block, buffer, fault);
    else
        producer_log("block %llu is lost", (unsigned long long)frame_id);
}

void acquisition_run(struct camera *camera) {
    struct acquisition acquisition = prepare(camera);
    bool running = await_trigger(&acquisition, TRIGGER_ACQUISITION_START);
    for (uint64_t frame_id = 1; running && frame_id <= acquisition.blocks; frame_id++) {
        if (!await_trigger(&acquisition, TRIGGER_FRAME_START))
            return;
        enum fault fault = faults_take(camera, frame_id);
        if (fault == FAULT_DISCONNECT)
            camera_unplug(camera, CABLE_OUT_UNTIL_CLOSED);
        camera->hung = fault == FAULT_HANG;
        running = !ended(&acquisition);
        if (running)
            take_block(&acquisition, frame_id, fault);
        running = !ended(&acquisition);
    }
}
