/* Faults on demand: what can go wrong between a camera and its consumer, at a chosen block.
 *
 * They are armed by the features SimFault and the like, by the exported functions from the consumer's own process, or
 * by the simulated cell through the scene. A fault hits once and is then disarmed (an order of the scene's by exactly
 * one camera, one time), except the two that last: they hold until SimFault is None or the camera loses its power. */
#ifndef STATION_FAULTS_H
#define STATION_FAULTS_H

#include <stdbool.h>

#include "camera/scene.h"

struct camera;

enum fault {
    FAULT_NONE,               /* takes back a fault, and ends a hang */
    FAULT_PARTIAL_INCOMPLETE, /* only SimPartialLines lines arrive; the block is flagged incomplete */
    FAULT_PARTIAL_COMPLETE,   /* only SimPartialLines lines arrive; the block passes for complete */
    FAULT_DROP_FRAME,         /* the block is lost; its frame id is missing */
    FAULT_DROP_LINES,         /* SimPartialLines lines are lost in the block's middle, later ones move up */
    FAULT_ALWAYS_INCOMPLETE,  /* lasts: this block and all later ones are flagged incomplete */
    FAULT_DISCONNECT,         /* unplugged; back without its settings once the device is closed and SimFaultTime over */
    FAULT_HANG,               /* the call named by SimHangCall does not return for SimFaultTime, 0: for ever */
    FAULT_UNDERRUN,           /* the block finds no buffer: it is lost and counted as an underrun */
    FAULT_LATE_BLOCK,         /* the block comes SimFaultTime too late */
    FAULT_SLOW,               /* lasts: this block and all later ones come SimFaultTime too late */
    FAULT_COUNT
};

/* Where a consumer hangs. Blocks stop while EventGetData hangs, and come late afterwards; else they go on. */
enum call {
    CALL_EVENT_GET_DATA,
    CALL_READ_PORT,
    CALL_WRITE_PORT,
    CALL_QUEUE_BUFFER,
    CALL_STOP_ACQUISITION,
    CALL_CLOSE_DEVICE,
    CALL_COUNT
};

/* A fault with its parameters. */
struct hit {
    enum fault fault;
    uint32_t lines, time_ms;
    enum call call;
    bool ordered; /* by the scene */
};

/* The fault that hits this block, FAULT_NONE mostly; Disconnect and Hang have then begun. */
struct hit faults_take(struct camera *camera, const struct scene_view *view, uint64_t frame_id);
/* Lets a fault hit that the scene has ordered for at once: None, Disconnect or Hang. */
void faults_at_once(struct camera *camera, const struct scene_view *view);
/* Arms a fault, as the features do. */
void faults_arm(struct camera *camera, const struct hit *hit, uint32_t block);
/* SimFault was written: None ends a hang. */
void faults_changed(struct camera *camera);

/* Whether this call is to hang now; ends a hang whose time is over. */
bool faults_hang(struct camera *camera, enum call call);
/* Returns when the call need not hang any more; the lock is released meanwhile. */
void faults_sit_out(struct camera *camera, enum call call);

#endif
