/* The system: the root of the module tree. */
#ifndef STATION_SYSTEM_H
#define STATION_SYSTEM_H

/* Closes it and all that is open below it. */
void system_close(void);

#endif
