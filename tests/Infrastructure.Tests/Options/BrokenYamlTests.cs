using SparkGateway.Infrastructure.Options;

namespace SparkGateway.Infrastructure.Tests.Options;

public sealed class BrokenYamlTests
{
    private const int Rounds = 3_000;

    /// <summary>Whatever a file holds is a list of problems, never an exception: cuts, swaps and foreign characters in a good file.</summary>
    [Fact]
    public void Load_MutilatedFile_NeverThrows()
    {
        var random = new Random(20_240_601);
        var good = "config:\n  spark_connect:\n    port: 15002 # x\n    attached:\n    - {name: a, namespace: \"b\", address: 'h:1'}\n    on_demand: {spark_conf: {spark.a: |\n  text\n}}\n";
        const string foreign = "{}[]:,-#&*!|>'\"%@`?\t\n \0\u00e9\ud83d";
        for (var round = 0; round < Rounds; round++)
        {
            var text = good.ToCharArray().ToList();
            for (var change = random.Next(1, 6); change > 0; change--)
            {
                var at = random.Next(text.Count);
                if (random.Next(2) == 0) text[at] = foreign[random.Next(foreign.Length)];
                else text.RemoveRange(at, Math.Min(random.Next(1, 8), text.Count - at));
                if (text.Count == 0) break;
            }

            var problems = new List<ConfigProblem>();
            var node = YamlReader.Read(new string([.. text]), line => new("test.yml", (int)line), problems);
            if (node is not null) new ConfigBinder(problems).Apply(node);
            Assert.All(problems, problem => Assert.InRange(problem.Where.Line, 1, 20));
        }
    }
}
