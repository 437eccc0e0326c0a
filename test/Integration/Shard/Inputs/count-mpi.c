/* Preloaded: counts the bytes of what ranks combine, as Open MPI is told. */
typedef void *Handle;

int PMPI_Allreduce(const void *, void *, int, Handle, Handle, Handle);
int PMPI_Allgather(const void *, int, Handle, void *, int, Handle, Handle);
int PMPI_Alltoallv(const void *, const int *, const int *, Handle, void *, const int *,
                   const int *, Handle, Handle);
int MPI_Type_size(Handle, int *);
int MPI_Comm_size(Handle, int *);

long long countedReduced, countedGathered;
int countedCalls;

int MPI_Allreduce(const void *from, void *to, int count, Handle type, Handle op,
                  Handle comm) {
  int size;
  MPI_Type_size(type, &size);
  countedReduced += (long long)count * size;
  ++countedCalls;
  return PMPI_Allreduce(from, to, count, type, op, comm);
}

int MPI_Allgather(const void *from, int count, Handle type, void *to, int got,
                  Handle gotType, Handle comm) {
  int size, ranks;
  MPI_Type_size(type, &size);
  MPI_Comm_size(comm, &ranks);
  countedGathered += (long long)count * size * ranks;
  ++countedCalls;
  return PMPI_Allgather(from, count, type, to, got, gotType, comm);
}

/* What is divided counts as what is gathered: a rank sends all but one part. */
int MPI_Alltoallv(const void *from, const int *counts, const int *begins, Handle type,
                  void *to, const int *gotCounts, const int *gotBegins,
                  Handle gotType, Handle comm) {
  int size, ranks, most = 0;
  MPI_Type_size(type, &size);
  MPI_Comm_size(comm, &ranks);
  for (int i = 0; i < ranks; ++i)
    most = counts[i] > most ? counts[i] : most;
  countedGathered += (long long)most * size * ranks;
  ++countedCalls;
  return PMPI_Alltoallv(from, counts, begins, type, to, gotCounts, gotBegins, gotType,
                        comm);
}

int printf(const char *, ...);
char *getenv(const char *);

/* At the end, for whoever reads the output of a rank. */
__attribute__((destructor)) static void sayWhatWasCounted(void) {
  if (getenv("COUNT_MPI"))
    printf("counted: %lld reduced, %lld gathered\n", countedReduced,
           countedGathered);
}
