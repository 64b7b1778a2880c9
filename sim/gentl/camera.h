/* One simulated camera: its registers, what it sees, its stream, and the thread that acquires. */
#ifndef STATION_CAMERA_H
#define STATION_CAMERA_H

#include "faults.h"
#include "registers.h"
#include "scene.h"
#include "stream.h"

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
    CABLE_OUT_UNTIL_CLOSED /* plugged in again when the device is closed; its settings are lost */
};

struct camera {
    const char *id, *serial;
    struct registers registers;
    struct scene scene; /* the acquisition thread's while acquiring, else guarded by the lock */
    struct stream stream;
    void *device, *remote; /* handles; NULL: not open */
    DEVICE_ACCESS_FLAGS access;
    enum cable cable;
    bool listed; /* as of the last IFUpdateDeviceList */
    bool hung;   /* FAULT_HANG has hit */
    bool acquiring, quit;
    enum camera_ending ending;
    bool software_trigger[TRIGGER_COUNT]; /* given and not used yet */
    pthread_cond_t changed;               /* broadcast when anything here or in the stream changes */
    pthread_t thread;
};

/* Power-up: default values, no scene. */
void camera_plug_in(struct camera *camera);
/* Ends the acquisition, but does not wait for its end. */
void camera_unplug(struct camera *camera, enum cable cable);
/* Starts and ends the acquisition thread, with the device. */
GC_ERROR camera_power_on(struct camera *camera);
void camera_power_off(struct camera *camera);

GC_ERROR camera_start(struct camera *camera);
/* Ends the acquisition and returns when it has ended; nothing when none runs. */
void camera_end(struct camera *camera, enum camera_ending ending);
void camera_trigger(struct camera *camera, uint32_t selector);
/* Opens the scene that the register names; the sensor gets its width, and the image is cut to the sensor. */
void camera_choose_scene(struct camera *camera);
/* Copies the scene's status into its register. */
void camera_note_scene(struct camera *camera);
/* Sleeps until something changed or the time has come; the lock is released meanwhile. */
void camera_wait_until(struct camera *camera, uint64_t time_ns);

/* acquisition.c: one acquisition from AcquisitionStart to its end, on the camera's thread. */
void acquisition_run(struct camera *camera);

#endif
