/* A PKCS#11 module that answers nothing while the file FOLDER "/hang" stands, and has no token otherwise. */
#include <unistd.h>

typedef unsigned long rv;

#define FUNCTIONS 68

static rv wait_while_told_to(void) {
    while (access(FOLDER "/hang", F_OK) == 0) usleep(10000);
    return 0;
}

static rv initialize(void *arguments) { (void)arguments; return 0; }

static rv slots(unsigned char present, unsigned long *list, unsigned long *count) {
    (void)present; (void)list;
    wait_while_told_to();
    *count = 0;
    return 0;
}

static rv unsupported(void) { return 0x54; }

static struct { unsigned char major, minor; void *functions[FUNCTIONS]; } list = {2, 40, {0}};

rv C_GetFunctionList(void **out) {
    for (int i = 0; i < FUNCTIONS; i++) list.functions[i] = (void *)unsupported;
    list.functions[0] = (void *)initialize;
    list.functions[4] = (void *)slots;
    *out = &list;
    return 0;
}
