# libuv has no CMake package in Debian 12; it has a pkg-config file. Defines libuv::libuv.
find_package(PkgConfig REQUIRED)
pkg_check_modules(libuv QUIET IMPORTED_TARGET libuv>=1.44)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(libuv REQUIRED_VARS libuv_LINK_LIBRARIES VERSION_VAR libuv_VERSION)
if(libuv_FOUND AND NOT TARGET libuv::libuv)
  add_library(libuv::libuv ALIAS PkgConfig::libuv)
endif()
