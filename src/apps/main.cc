#include "apps/cli.h"

int main(int argc, char** argv) { return fathom::apps::run(argc, argv); }
