# cmake -DFROM=file -DTO=file.inc -P EmbedFile.cmake
# The bytes of a file as the initializer of a C++ array.
file(READ ${FROM} bytes HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
file(WRITE ${TO} "${bytes}\n")
