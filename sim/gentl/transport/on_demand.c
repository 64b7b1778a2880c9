/* What a test program orders of a camera directly. */
#include "transport/on_demand.h"

#include "base/producer.h"
#include "camera/cable.h"
#include "transport/cameras.h"

GC_API station_sim_set_fault(uint32_t number, int32_t fault, uint32_t block, uint32_t lines, uint32_t time_ms,
                             int32_t call) {
    GENTL_ENTRY;
    bool known = fault >= FAULT_NONE && fault < FAULT_COUNT && call >= 0 && call < CALL_COUNT;
    if (number >= producer.camera_count || !known || block < 1 || lines > BLOCK_LINES_MAX)
        return refuse(GC_ERR_INVALID_PARAMETER, "no such camera, fault or call, or block or lines out of range");
    const struct hit hit = {.fault = (enum fault)fault, .lines = lines, .time_ms = time_ms, .call = (enum call)call};
    faults_arm(producer_camera(number), &hit, block);
    return GC_ERR_SUCCESS;
}

GC_API station_sim_disconnect(uint32_t number, int32_t away) {
    GENTL_ENTRY;
    if (number >= producer.camera_count)
        return refuse(GC_ERR_INVALID_PARAMETER, "there is no camera %u", number);
    struct camera *camera = producer_camera(number);
    if (!away && camera->cable == CABLE_IN)
        return GC_ERR_SUCCESS;
    if (away)
        camera_unplug(camera, CABLE_OUT, 0);
    camera_end(camera, END_ABORT);
    if (!away)
        camera_plug_in(camera);
    return GC_ERR_SUCCESS;
}
