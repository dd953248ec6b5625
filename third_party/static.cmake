# The libraries of the static binary: libuv and OpenSSL as Debian's static libraries, libcurl and
# simdjson from the sources that third_party/fetch brings. Nothing here uses the network.
set(INTEGCOV_SOURCES "${PROJECT_SOURCE_DIR}/build/sources" CACHE PATH
    "The folder that third_party/fetch has filled")
execute_process(COMMAND ${CMAKE_CURRENT_LIST_DIR}/fetch --offline ${INTEGCOV_SOURCES}
                RESULT_VARIABLE failed OUTPUT_VARIABLE found ERROR_VARIABLE sentence
                OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_STRIP_TRAILING_WHITESPACE)
if(failed)
  message(FATAL_ERROR "${sentence}")
endif()
string(REPLACE "\n" ", " found "${found}")
message(STATUS "Sources: ${found}")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
             ${CMAKE_CURRENT_LIST_DIR}/sources.lock ${CMAKE_CURRENT_LIST_DIR}/fetch
             ${INTEGCOV_SOURCES}/curl/.version ${INTEGCOV_SOURCES}/simdjson/.version)

# Where the sources lie must not show in the binary; OpenSSL's headers would put it there, too.
add_compile_options("-ffile-prefix-map=${INTEGCOV_SOURCES}=sources")

set(OPENSSL_USE_STATIC_LIBS ON)
find_package(libuv REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)

add_library(simdjson STATIC ${INTEGCOV_SOURCES}/simdjson/src/simdjson.cpp)
target_include_directories(simdjson SYSTEM PUBLIC ${INTEGCOV_SOURCES}/simdjson/include
                           PRIVATE ${INTEGCOV_SOURCES}/simdjson/src)
target_compile_options(simdjson PRIVATE -w)
# What we parse is a kilobyte or two: code for wider vectors would only be size.
target_compile_definitions(simdjson PRIVATE SIMDJSON_IMPLEMENTATION_ICELAKE=0
                           SIMDJSON_IMPLEMENTATION_HASWELL=0)
add_library(simdjson::simdjson ALIAS simdjson)

# libcurl with HTTP and HTTPS, proxies included, and nothing else. Its options are cache entries,
# and so are what it reads of CMake's own.
foreach(name HTTP_ONLY CURL_USE_OPENSSL CURL_DISABLE_OPENSSL_AUTO_LOAD_CONFIG CURL_DISABLE_INSTALL
        CURL_DISABLE_ALTSVC CURL_DISABLE_AWS CURL_DISABLE_BINDLOCAL CURL_DISABLE_COOKIES
        CURL_DISABLE_DIGEST_AUTH CURL_DISABLE_DOH CURL_DISABLE_FORM_API CURL_DISABLE_GETOPTIONS
        CURL_DISABLE_HSTS CURL_DISABLE_KERBEROS_AUTH CURL_DISABLE_LIBCURL_OPTION CURL_DISABLE_MIME
        CURL_DISABLE_NEGOTIATE_AUTH CURL_DISABLE_NETRC CURL_DISABLE_NTLM CURL_DISABLE_PROGRESS_METER
        CURL_DISABLE_SRP CURL_DISABLE_WEBSOCKETS)
  set(${name} ON CACHE INTERNAL "")
endforeach()
foreach(name BUILD_CURL_EXE BUILD_EXAMPLES BUILD_LIBCURL_DOCS BUILD_MISC_DOCS BUILD_SHARED_LIBS
        BUILD_TESTING CURL_BROTLI CURL_ENABLE_EXPORT_TARGET CURL_USE_LIBPSL CURL_USE_LIBSSH2
        CURL_USE_PKGCONFIG CURL_ZLIB CURL_ZSTD ENABLE_CURL_MANUAL ENABLE_UNIX_SOCKETS PICKY_COMPILER
        USE_LIBIDN2 USE_NGHTTP2)
  set(${name} OFF CACHE INTERNAL "")
endforeach()
foreach(name CURL_CA_BUNDLE CURL_CA_PATH)  # the program says where
  set(${name} none CACHE INTERNAL "")
endforeach()
set(CMAKE_POLICY_DEFAULT_CMP0077 NEW)
add_subdirectory(${INTEGCOV_SOURCES}/curl ${CMAKE_BINARY_DIR}/curl EXCLUDE_FROM_ALL SYSTEM)
target_compile_definitions(libcurl_static PRIVATE OPENSSL_NO_FILENAMES)

# OpenSSL's and libcurl's tables are relocated at the first upload and not at each start
# (docs/decisions/0010). Takes a linker that packs relative relocations.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
set(INTEGCOV_DEFER_RELOCATIONS ${CMAKE_CURRENT_LIST_DIR}/defer_relocations.py)
function(defer_relocations program)
  set(map ${CMAKE_CURRENT_BINARY_DIR}/${program}.map)
  target_link_options(${program} PRIVATE -Wl,-Map=${map})
  set_property(TARGET ${program} APPEND PROPERTY LINK_DEPENDS ${INTEGCOV_DEFER_RELOCATIONS})
  add_custom_command(TARGET ${program} POST_BUILD VERBATIM
    COMMAND Python3::Interpreter ${INTEGCOV_DEFER_RELOCATIONS} $<TARGET_FILE:${program}> ${map})
endfunction()

# What a start touches lies together.
set(INTEGCOV_LAYOUT ${CMAKE_CURRENT_LIST_DIR})
function(lay_out program)
  target_link_options(${program} PRIVATE -L${INTEGCOV_LAYOUT} -Wl,-T,layout.ld)
  set_property(TARGET ${program} APPEND PROPERTY LINK_DEPENDS ${INTEGCOV_LAYOUT}/layout.ld
                                                              ${INTEGCOV_LAYOUT}/start_order.ld)
endfunction()

# What else libraries would do before main. That they no longer do is an error of the linker.
set(INTEGCOV_BEFORE_MAIN ${CMAKE_CURRENT_LIST_DIR}/before_main.cc)
function(defer_initialization program)
  target_sources(${program} PRIVATE ${INTEGCOV_BEFORE_MAIN})
  foreach(name OPENSSL_cpuid_setup _dl_get_origin)
    target_link_options(${program} PRIVATE -Wl,--wrap=${name} -Wl,--require-defined=${name})
  endforeach()
endfunction()
