using System.CommandLine;
using SparkGateway.Api.Cli;

namespace SparkGateway.Api.Tests;

public sealed class VerbTests
{
    [Fact]
    public async Task Help_OfTheProgram_NamesTheVerbs()
    {
        var run = await Gateway.RunAsync("--help");

        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.All((string[])["serve", "check-config", "migrate", "audit", "--version", "Exit codes"], word => Assert.Contains(word, run.Out, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("serve")]
    [InlineData("check-config")]
    [InlineData("migrate", "--script")]
    [InlineData("audit prune", "--older-than <DAYS>", "--dry-run", "--as <NAME>")]
    public async Task Help_OfAVerb_NamesItsOptions(string verb, params string[] more)
    {
        var run = await Gateway.RunAsync([.. verb.Split(' '), "--help"]);

        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.All((string[])["--config <FILE>", "--set <KEY=VALUE>", .. more], word => Assert.Contains(word, run.Out, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Version_IsOneLine()
    {
        var run = await Gateway.RunAsync("--version");

        Assert.Equal(0, run.ExitCode);
        Assert.Matches(@"^\d+\.\d+\.\d+[^\n]*\n$", run.Out);
    }

    [Theory]
    [InlineData("say what to do")]
    [InlineData("'serv'", "serv")]
    [InlineData("'--prot'", "serve", "--prot", "1")]
    [InlineData("--config", "serve", "--config")]
    [InlineData("KEY=VALUE", "serve", "--set", "nonsense")]
    [InlineData("the file does not exist", "serve", "--config", "none.yml")]
    [InlineData("the nearest known key is spark_connect.port", "serve", "--set", "spark_connect.prot=1")]
    [InlineData("the nearest known key is spark_connect.port", "migrate", "--set", "spark_connect.prot=1")]
    public async Task Arguments_Wrong_AreOneSentenceAndExitCode2(string text, params string[] arguments)
    {
        var run = await Gateway.RunAsync(arguments);

        AssertRefused(run, text);
    }

    [Fact]
    public async Task CheckConfig_Valid_PrintsEachValueWithItsOrigin()
    {
        using var gateway = Gateway.Start(
            Gateway.Program,
            ["check-config", "--config", Path.Combine(Gateway.Solution, "config", "local.yml"), "--set", "spark_connect.port=16002", "--set", "spark_connect.on_demand.spark_conf.spark.my.token=hush"],
            [("SPARK_GATEWAY_LOCAL__MAX_DRIVERS", "3")]);
        var run = await gateway.EndAsync();

        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Contains("    port: 16002  # --set\n", run.Out, StringComparison.Ordinal);
        Assert.Contains("    max_drivers: 3  # environment variable SPARK_GATEWAY_LOCAL__MAX_DRIVERS\n", run.Out, StringComparison.Ordinal);
        Assert.Matches(@"default_team: local  # \S+local\.yml:\d+\n", run.Out);
        Assert.Contains("    queue_lines: 10000  # default\n", run.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("hush", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CheckConfig_ManyProblems_PrintsALineForEach()
    {
        var run = await Gateway.RunAsync("check-config", "--set", "spark_connect.port=0", "--set", "local.engine=x", "--config", "none.yml");

        Assert.Equal((2, ""), (run.ExitCode, run.Out));
        Assert.Equal(3, run.ErrorLines.Length);
        Assert.All(run.ErrorLines, line => Assert.StartsWith("spark-gateway: ", line, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Verb_UnexpectedException_IsOneSentenceThatAsksForAReport()
    {
        var verb = new Command("fail");
        verb.SetAction(ThrowAsync);
        var (output, error) = (new StringWriter(), new StringWriter());

        var code = await CommandLine.RunAsync(new RootCommand { verb }, ["fail"], new(output, error));

        Assert.Equal(1, code);
        Assert.Equal("spark-gateway: InvalidOperationException: two lines This is a bug, please report it (SPARK_GATEWAY_DEBUG=1 shows where it happened).\n", error.ToString());

        static Task<int> ThrowAsync(ParseResult arguments, CancellationToken cancellation) => throw new InvalidOperationException("two\nlines");
    }

    internal static void AssertRefused(GatewayRun run, string text)
    {
        Assert.Equal((2, ""), (run.ExitCode, run.Out));
        Assert.Contains(text, Assert.Single(run.ErrorLines), StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", run.Error, StringComparison.Ordinal);
    }
}
