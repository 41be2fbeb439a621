// epoll(7), which Swift's own module of glibc leaves out.
#pragma once

#include <sys/epoll.h>
