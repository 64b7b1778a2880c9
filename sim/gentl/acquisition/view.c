/* What a running acquisition goes by: the scene, and whether it has been ended. */
#include "acquisition/acquisition.h"
#include "base/producer.h"

bool acquisition_ended(const struct acquisition *acquisition) {
    const struct camera *camera = acquisition->camera;
    return camera->ending != END_NOT || camera->cable != CABLE_IN;
}

/* A writer that is in the middle of a change is waited for. */
static struct scene_view look_unlocked(struct scene *scene) {
    UNLOCKED;
    scene_refresh(scene);
    return scene_look(scene);
}

struct scene_view acquisition_await_view(struct acquisition *acquisition) {
    struct camera *camera = acquisition->camera;
    const struct scene_view view = look_unlocked(&camera->scene);
    camera_note_scene(camera);
    faults_at_once(camera, &view);
    while (faults_hang(camera, CALL_EVENT_GET_DATA) && !acquisition_ended(acquisition))
        camera_wait_until(camera, camera->hang_end_ns);
    return view;
}
