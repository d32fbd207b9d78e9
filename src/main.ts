process.stdout.write("platform\n");
