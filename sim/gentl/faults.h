/* Faults on demand: what can go wrong between a camera and its consumer, at a chosen block.
 *
 * The features SimFault, SimFaultBlock and SimPartialLines arm them; in-process tests may call the exported functions. */
#ifndef STATION_FAULTS_H
#define STATION_FAULTS_H

#include "gentl.h"

struct camera;

enum fault {
    FAULT_NONE,
    FAULT_PARTIAL_INCOMPLETE, /* only SimPartialLines lines arrive; the block is flagged incomplete */
    FAULT_PARTIAL_COMPLETE,   /* only SimPartialLines lines arrive; the block passes for complete */
    FAULT_DROP_FRAME,         /* the block is lost; its frame id is missing */
    FAULT_DROP_LINES,         /* SimPartialLines lines are lost in the block's middle, later ones move up */
    FAULT_ALWAYS_INCOMPLETE,  /* this block and all later ones are flagged incomplete, until SimFault is None */
    FAULT_DISCONNECT,         /* unplugged; plugged in again, without its settings, once the device is closed */
    FAULT_HANG,               /* EventGetData does not return any more, whatever its time-out */
    FAULT_COUNT
};

/* The fault that hits the block, FAULT_NONE mostly. It is disarmed, except FAULT_ALWAYS_INCOMPLETE. */
enum fault faults_take(struct camera *camera, uint64_t frame_id);
/* SimFault was written: None ends a hang. */
void faults_changed(struct camera *camera);

/* Arms a fault of camera 0, as the features do. */
GC_API station_sim_set_fault(int32_t fault, uint32_t block, uint32_t lines);
/* Unplugs camera 0 (away != 0) until it is plugged in again (0); its settings are lost. */
GC_API station_sim_disconnect(int32_t away);

#endif
