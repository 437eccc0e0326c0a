//===- ForkServer.cpp - runs a tool many times without loading it anew ----===//
//
// Preloaded to a tool, this takes the place of its `main`: it reads jobs from
// the standard input and runs the tool's `main` for each of them in a child
// with limits of its own. Most of the time that a tool takes for a small
// program is loading LLVM's libraries. utils/damage.sh runs tools like this.
//
// A job is a line of fields separated by tabs: the file for the standard
// output, that for the errors, seconds, bytes of address space, and the tool's
// arguments. The answer is a line with waitpid's status.
//
//===----------------------------------------------------------------------===//

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include <dlfcn.h>
#include <fcntl.h>
#include <iostream>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using MainFunction = int (*)(int, char **, char **);
using StartFunction = int (*)(MainFunction, int, char **, void (*)(),
                              void (*)(), void (*)(), void *);

MainFunction toolMain = nullptr;

std::vector<std::string> split(const std::string &line) {
  std::vector<std::string> fields;
  size_t begin = 0;
  while (true) {
    size_t end = line.find('\t', begin);
    fields.push_back(line.substr(begin, end - begin));
    if (end == std::string::npos)
      return fields;
    begin = end + 1;
  }
}

void redirect(const char *path, int flags, int to) {
  int file = open(path, flags, 0644);
  if (file < 0 || dup2(file, to) < 0)
    _exit(125);
  close(file);
}

/// The hard limit is later: at it the kernel kills without saying why.
void limit(int resource, rlim_t value) {
  rlimit both{value, value + 1};
  setrlimit(static_cast<__rlimit_resource>(resource), &both);
}

/// Runs in the child.
int runJob(std::vector<std::string> &fields, char **environment) {
  redirect("/dev/null", O_RDONLY, 0);
  redirect(fields[0].c_str(), O_WRONLY | O_CREAT | O_TRUNC, 1);
  redirect(fields[1].c_str(), O_WRONLY | O_CREAT | O_TRUNC, 2);
  limit(RLIMIT_AS, std::stoull(fields[3]));
  limit(RLIMIT_CORE, 0);
  // Of the processor's time; a wait ends too, later, as other programs may be
  // running. No handler of LLVM's is for these signals.
  limit(RLIMIT_CPU, std::stoul(fields[2]));
  alarm(6 * std::stoul(fields[2]));
  std::vector<char *> arguments;
  for (size_t i = 4; i < fields.size(); ++i)
    arguments.push_back(fields[i].data());
  int count = static_cast<int>(arguments.size());
  arguments.push_back(nullptr);
  return toolMain(count, arguments.data(), environment);
}

int serve(int, char **, char **environment) {
  // The tool's own children are no servers.
  unsetenv("LD_PRELOAD");
  std::string line;
  while (std::getline(std::cin, line)) {
    std::vector<std::string> fields = split(line);
    if (fields.size() < 5)
      return 1;
    pid_t child = fork();
    if (child < 0)
      return 1;
    if (child == 0)
      std::exit(runJob(fields, environment));
    int status = 0;
    waitpid(child, &status, 0);
    std::printf("%d\n", status);
    std::fflush(stdout);
  }
  return 0;
}

} // namespace

// The C library calls this with the tool's `main`, when all that is to be
// constructed before it has been.
extern "C" int __libc_start_main(MainFunction main, int argc, char **argv,
                                 void (*init)(), void (*fini)(),
                                 void (*finishLoader)(), void *stackEnd) {
  toolMain = main;
  auto start = reinterpret_cast<StartFunction>(
      dlsym(RTLD_NEXT, "__libc_start_main"));
  return start(serve, argc, argv, init, fini, finishLoader, stackEnd);
}
