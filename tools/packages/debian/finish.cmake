# SPDX-License-Identifier: Apache-2.0
# Run by cpack before it packs: what Debian wants of a package and no other
# installation has.
find_program(GZIP gzip REQUIRED)
set(VERSION "${CPACK_PACKAGE_VERSION}")
string(TIMESTAMP DATE "%a, %d %b %Y %H:%M:%S +0000" UTC) # or SOURCE_DATE_EPOCH
foreach(component signerd signer-tools)
  set(top "${CPACK_TEMPORARY_INSTALL_DIRECTORY}/${component}")
  set(doc "${top}/usr/share/doc/${component}")
  file(MAKE_DIRECTORY "${doc}")
  configure_file("${CPACK_SIGNERD_SOURCE}/tools/packages/debian/changelog" "${doc}/changelog.Debian" @ONLY)
  file(COPY "${CPACK_SIGNERD_SOURCE}/tools/packages/debian/copyright" DESTINATION "${doc}"
    FILE_PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
  file(COPY_FILE "${CPACK_SIGNERD_SOURCE}/CHANGELOG.md" "${doc}/changelog")
  file(WRITE "${top}/usr/share/lintian/overrides/${component}"
    "# Not made for an upload to Debian: there is no bug to close.\n"
    "${component}: initial-upload-closes-no-bugs *\n")
  file(GLOB texts "${top}/usr/share/man/man*/*" "${doc}/changelog" "${doc}/changelog.Debian")
  execute_process(COMMAND "${GZIP}" -9nf ${texts} COMMAND_ERROR_IS_FATAL ANY)
endforeach()
