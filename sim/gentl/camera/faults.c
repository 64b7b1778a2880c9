/* Arming and taking faults, and hanging. */
#include "camera/faults.h"

#include "base/answers.h"
#include "base/clock.h"
#include "camera/camera.h"

static bool lasts(enum fault fault) {
    return fault == FAULT_ALWAYS_INCOMPLETE || fault == FAULT_SLOW;
}

static void begin_hang(struct camera *camera, const struct hit *hit) {
    camera->hung = true;
    camera->hang_call = hit->call;
    camera->hang_end_ns = hit->time_ms ? clock_now_ns() + hit->time_ms * NS_PER_MS : UINT64_MAX;
    camera_tell_change(camera);
}

static void end_hang(struct camera *camera) {
    camera->hung = false;
    camera_tell_change(camera);
}

static void strike(struct camera *camera, const struct hit *hit) {
    if (hit->fault == FAULT_DISCONNECT)
        camera_unplug(camera, CABLE_OUT_UNTIL_CLOSED, hit->time_ms);
    if (hit->fault == FAULT_DISCONNECT && hit->ordered)
        scene_stay_away(&camera->scene, camera->back_ns);
    if (hit->fault == FAULT_HANG)
        begin_hang(camera, hit);
}

/* ---- the fault in the registers ---- */

static struct hit armed(const struct registers *registers) {
    return (struct hit){.fault = (enum fault)registers->fault,
                        .lines = registers->fault_lines,
                        .time_ms = registers->fault_time_ms,
                        .call = (enum call)registers->hang_call};
}

static struct hit take_armed(struct registers *registers, uint64_t frame_id) {
    const struct hit hit = armed(registers);
    if (lasts(hit.fault) && frame_id >= registers->fault_block)
        return hit;
    if (lasts(hit.fault) || frame_id != registers->fault_block)
        return (struct hit){.fault = FAULT_NONE};
    registers->fault = FAULT_NONE;
    return hit;
}

void faults_changed(struct camera *camera) {
    if (camera->registers.fault == FAULT_NONE)
        end_hang(camera);
}

void faults_arm(struct camera *camera, const struct hit *hit, uint32_t block) {
    struct registers *registers = &camera->registers;
    registers->fault = (uint32_t)hit->fault;
    registers->fault_block = block;
    registers->fault_lines = hit->lines;
    registers->fault_time_ms = hit->time_ms;
    registers->hang_call = (uint32_t)hit->call;
    faults_changed(camera);
}

/* ---- the fault that the scene has ordered ---- */

static bool take_ordered(struct camera *camera, const struct scene_view *view, struct hit *hit) {
    const struct scene_fault *order = &view->fault;
    if (!scene_take_fault(&camera->scene, view))
        return false;
    producer_log("fault %u was ordered for block %u", order->fault, order->block);
    *hit = (struct hit){.lines = order->lines, .time_ms = order->time_ms, .ordered = true};
    if (order->fault < FAULT_COUNT && order->call < CALL_COUNT) {
        hit->fault = (enum fault)order->fault;
        hit->call = (enum call)order->call;
    }
    if (hit->fault == FAULT_NONE || lasts(hit->fault))
        faults_arm(camera, hit, order->block ? order->block : 1);
    return true;
}

void faults_at_once(struct camera *camera, const struct scene_view *view) {
    const struct scene_fault *order = &view->fault;
    bool possible = order->fault == FAULT_NONE || order->fault == FAULT_DISCONNECT || order->fault == FAULT_HANG;
    struct hit hit;
    if (order->number && order->block == 0 && possible && take_ordered(camera, view, &hit))
        strike(camera, &hit);
}

struct hit faults_take(struct camera *camera, const struct scene_view *view, uint64_t frame_id) {
    const struct scene_fault *order = &view->fault;
    bool meant = order->block == 0 || order->block == frame_id || (lasts(order->fault) && order->block < frame_id);
    struct hit hit;
    if (!order->number || !meant || !take_ordered(camera, view, &hit))
        hit = take_armed(&camera->registers, frame_id);
    if (hit.fault != FAULT_NONE)
        producer_log("fault %d hits block %llu", (int)hit.fault, (unsigned long long)frame_id);
    strike(camera, &hit);
    return hit;
}

/* ---- hanging ---- */

bool faults_hang(struct camera *camera, enum call call) {
    if (camera->hung && clock_now_ns() >= camera->hang_end_ns)
        end_hang(camera);
    return camera->hung && camera->hang_call == call;
}

void faults_sit_out(struct camera *camera, enum call call) {
    while (faults_hang(camera, call))
        camera_wait_until(camera, camera->hang_end_ns);
}
