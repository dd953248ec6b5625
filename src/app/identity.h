// Who this run is: for object metadata and log labels.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "config/environment.h"

namespace integcov::app {

// Random bytes of the kernel (getrandom(2)).
std::string random_bytes(std::size_t count);
std::uint64_t random_seed();

// Object metadata: integcov-run (128 random bits), integcov-instance, and what the platform tells
// of itself: k-service, cloud-run-job, pod-name, … (lower-cased names of the variables).
std::map<std::string, std::string> run_metadata(const config::Environment& env);

// Cloud Run and Kubernetes read stderr as JSON lines.
bool platform_logs_json(const config::Environment& env);

}  // namespace integcov::app
