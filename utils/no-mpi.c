/* Preloaded: collectives that send nothing, so that one rank can be timed alone
   (utils/simulate-ranks.py). */
#include <stdlib.h>
#include <string.h>

typedef void *Handle;

/* Programs add in place: Open MPI's MPI_IN_PLACE is 1. */
int MPI_Allreduce(const void *from, void *to, int count, Handle type, Handle op,
                  Handle comm) {
  if (from != (void *)1)
    abort();
  return 0;
}

/* They ask which rank of how many they are; who times them says that. */
int noMPIRank, noMPIRanks = 1;

int MPI_Comm_rank(Handle comm, int *rank) {
  *rank = noMPIRank;
  return 0;
}

int MPI_Comm_size(Handle comm, int *size) {
  *size = noMPIRanks;
  return 0;
}

/* And gather bytes. */
int MPI_Allgather(const void *from, int count, Handle type, void *to, int got,
                  Handle gotType, Handle comm) {
  memcpy(to, from, count);
  return 0;
}

/* A part of nobody else: what is there, which time does not depend on. */
int MPI_Alltoallv(const void *from, const int *counts, const int *begins, Handle type,
                  void *to, const int *gotCounts, const int *gotBegins,
                  Handle gotType, Handle comm) {
  return 0;
}
