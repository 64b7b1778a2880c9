/* Arming and taking faults. */
#include "faults.h"

#include "camera.h"

enum fault faults_take(struct camera *camera, uint64_t frame_id) {
    struct registers *registers = &camera->registers;
    enum fault fault = (enum fault)registers->fault;
    if (fault == FAULT_ALWAYS_INCOMPLETE)
        return frame_id >= registers->fault_block ? fault : FAULT_NONE;
    if (fault == FAULT_NONE || frame_id != registers->fault_block)
        return FAULT_NONE;
    registers->fault = FAULT_NONE;
    producer_log("fault %d hits block %llu", (int)fault, (unsigned long long)frame_id);
    return fault;
}

void faults_changed(struct camera *camera) {
    if (camera->registers.fault == FAULT_NONE) {
        camera->hung = false;
        pthread_cond_broadcast(&camera->changed);
    }
}

GC_API station_sim_set_fault(int32_t fault, uint32_t block, uint32_t lines) {
    GENTL_ENTRY;
    if (fault < FAULT_NONE || fault >= FAULT_COUNT || block < 1 || lines > BLOCK_LINES_MAX)
        return refuse(GC_ERR_INVALID_PARAMETER, "no such fault, or block or lines out of range");
    struct camera *camera = producer_camera(0);
    camera->registers.fault = (uint32_t)fault;
    camera->registers.fault_block = block;
    camera->registers.fault_lines = lines;
    faults_changed(camera);
    return GC_ERR_SUCCESS;
}

GC_API station_sim_disconnect(int32_t away) {
    GENTL_ENTRY;
    struct camera *camera = producer_camera(0);
    if (away) {
        camera_unplug(camera, CABLE_OUT);
        camera_end(camera, END_ABORT);
    } else if (camera->cable != CABLE_IN) {
        camera_plug_in(camera);
    }
    return GC_ERR_SUCCESS;
}
