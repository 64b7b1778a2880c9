/* One acquisition from AcquisitionStart to its end, on the camera's thread.
 *
 * The thread holds the lock except where a function's name says wait, await or unlocked: after these the camera and its
 * stream may be others. */
#ifndef STATION_ACQUISITION_H
#define STATION_ACQUISITION_H

#include "acquisition/exposure.h"
#include "camera/camera.h"
#include "stream/stream.h"

/* Settings are taken over when the acquisition starts and hold until it ends. */
struct acquisition {
    struct camera *camera;
    struct exposure exposure;
    uint32_t height;
    uint32_t chunks; /* 1 << enum chunk of those that are appended */
    uint64_t blocks; /* to take; UINT64_MAX: until stopped */
};

/* view.c */

/* Stopped, aborted or unplugged. */
bool acquisition_ended(const struct acquisition *acquisition);
/* Looks at the scene, or for it; faults that hit at once, hit, and a hang is sat out. */
struct scene_view acquisition_await_view(struct acquisition *acquisition);

/* triggers.c: begins the lines when the trigger comes, at once if it is off. False when the acquisition was ended. */
bool trigger_await(struct acquisition *acquisition, enum trigger_selector selector);

/* lines.c: exposes the block up to `until` lines, each when its time comes, or all at once at maximum pace; less when
 * the acquisition ends or is killed. `image` NULL: nobody sees them. */
void lines_await(struct acquisition *acquisition, struct block *block, uint8_t *image, uint32_t until);
/* Where the encoder's values of a block's lines go, behind its image; NULL: nowhere. */
uint8_t *encoder_chunk(const struct block *block, uint8_t *image);

/* finish.c: cuts what a fault withholds, blackens what is missing, appends the chunks. */
void block_finish(struct block *block, struct buffer *buffer, const struct hit *hit, size_t pitch);

/* blocks.c: takes one block, the `count`th of this acquisition, and hands it to the stream. */
void block_await(struct acquisition *acquisition, uint64_t count, const struct hit *hit, enum scene_pace pace);

/* acquisition.c */
void acquisition_run(struct camera *camera);

#endif
