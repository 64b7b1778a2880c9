/* One simulated camera: its registers, what it sees, its stream, and the thread that acquires. */
#ifndef STATION_CAMERA_H
#define STATION_CAMERA_H

#include <pthread.h>

#include "camera/faults.h"
#include "camera/registers.h"
#include "camera/scene.h"
#include "gentl.h"

struct stream;

enum { BLOCK_LINES_MAX = 65536 };

/* How an acquisition is ended from outside. */
enum camera_ending {
    END_NOT,
    END_STOP, /* the lines that the block has by now are delivered as an incomplete block */
    END_ABORT /* the block is discarded */
};

enum cable {
    CABLE_IN,
    CABLE_OUT,
    CABLE_OUT_UNTIL_CLOSED /* in again once the device is closed and `back_ns` is over; the settings are lost */
};

struct camera {
    const char *id, *serial;
    struct registers registers;
    struct flash flash;    /* what it keeps without power */
    struct scene scene;    /* the acquisition thread's while acquiring, else guarded by the lock */
    struct stream *stream; /* always there, open or not */
    void *device, *remote; /* handles; NULL: not open */
    DEVICE_ACCESS_FLAGS access;
    enum cable cable;
    uint64_t back_ns;
    bool closing; /* the device is being closed */
    bool listed;  /* as of the last IFUpdateDeviceList */
    bool hung;    /* FAULT_HANG has hit */
    enum call hang_call;
    uint64_t hang_end_ns;
    bool acquiring, quit;
    enum camera_ending ending;
    uint64_t acquisitions;                /* since power-up, or since SimNoiseSeed was written */
    int64_t position, encoder_zero;       /* the jig's, in rows, at the last line; where EncoderValue is 0 */
    uint32_t turn_lines;                  /* as of the last line */
    bool software_trigger[TRIGGER_COUNT]; /* given and not used yet */
    pthread_cond_t changed;               /* see camera_tell_change */
    pthread_t thread;
};

/* Wakes whoever waits: something of the camera or of its stream has changed. */
void camera_tell_change(struct camera *camera);
/* Sleep until something changed, or the time has come; the lock is released meanwhile. */
void camera_await_change(struct camera *camera);
void camera_wait_until(struct camera *camera, uint64_t time_ns);

/* Ends the acquisition, but does not wait for its end. It can be plugged in again by itself after this time. */
void camera_unplug(struct camera *camera, enum cable cable, uint32_t away_ms);

GC_ERROR camera_start(struct camera *camera);
/* Ends the acquisition and returns when it has ended; nothing when none runs. */
void camera_end(struct camera *camera, enum camera_ending ending);
void camera_trigger(struct camera *camera, uint32_t selector);
/* Opens the scene that the register names; the sensor gets its width, and the image is cut to the sensor. */
void camera_choose_scene(struct camera *camera);
void camera_cut_image(struct camera *camera);
/* Copies the scene's status into its register. */
void camera_note_scene(struct camera *camera);
/* The jig's position in rows as the camera knows it: now, or at the last line of the running acquisition. */
int64_t camera_position(struct camera *camera);
/* Levels of the input lines at a position of the jig: bit 0 Line0, its index; bit 1 phase A of its encoder. */
uint32_t camera_line_status(int64_t position, uint32_t turn_lines);

#endif
