/* The lock, and where the library lies. */
#include "base/producer.h"

#include <dlfcn.h>

struct producer producer;
pthread_mutex_t producer_mutex = PTHREAD_MUTEX_INITIALIZER;

const char *producer_path(void) {
    Dl_info found;
    return dladdr(&producer, &found) && found.dli_fname ? found.dli_fname : PRODUCER_FILE;
}

bool producer_enter(void) {
    pthread_mutex_lock(&producer_mutex);
    return producer.initialised;
}

void producer_leave(const bool *entered) {
    (void)entered;
    pthread_mutex_unlock(&producer_mutex);
}

bool producer_release(void) {
    pthread_mutex_unlock(&producer_mutex);
    return true;
}

void producer_take_back(const bool *released) {
    (void)released;
    pthread_mutex_lock(&producer_mutex);
}
