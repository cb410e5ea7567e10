# SPDX-License-Identifier: Apache-2.0
# For finish.cmake, which cpack runs with its own variables only.
set(CPACK_SIGNERD_SOURCE "${CMAKE_CURRENT_LIST_DIR}/../../..")
