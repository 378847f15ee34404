using BenchmarkDotNet.Running;

BenchmarkSwitcher.FromAssembly(typeof(SparkGateway.Micro.RelayBenchmarks).Assembly).Run(args);
