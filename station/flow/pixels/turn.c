/* One block of a turn through all that its lines are looked at for, see proofs.py. */

#include "turn.h"

/* Lines lie `stride` bytes apart. Nothing is allocated, nothing is read beyond the sensor's width. */
__attribute__((visibility("default"))) void station_turn(const uint8_t *pixels, const struct view *view,
                                                         struct turn *turn, struct lines *lines, struct copies *copies,
                                                         struct texture *texture, struct stillness *stillness,
                                                         struct repeats *repeats, struct joints *joints)
{
    const uint8_t *part = pixels + view->first;
    lines_take(turn, pixels, view, lines);
    copies_take(turn, lines, copies);
    texture_take(part, view->stride, texture, stillness);
    repeats_take(turn, texture, repeats);
    joints_take(turn, part, view->stride, joints);
    turn->taken++;
}
