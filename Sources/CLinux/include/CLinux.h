#pragma once
#include "memory_file.h"
