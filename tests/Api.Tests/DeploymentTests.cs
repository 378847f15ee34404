using YamlDotNet.RepresentationModel;

namespace SparkGateway.Api.Tests;

public sealed class DeploymentTests
{
    private const string ImageConfig = "/opt/spark-gateway/config/";

    private static readonly YamlMappingNode Compose = Load("docker-compose.yml");

    [Theory]
    [InlineData("migrate")]
    [InlineData("serve", "gateway")]
    public async Task Compose_ServiceCommand_IsAVerbWithFilesThatExist(string verb, string? service = null)
    {
        var node = (YamlMappingNode)Compose["services"][service ?? verb];
        var command = ((YamlSequenceNode)node["command"]).Select(part => part.ToString()).ToArray();

        Assert.Equal(verb, command[0]);
        using var connection = new TempFile("Host=postgres");
        var here = command[1..].Select(part => part
            .Replace(ImageConfig, Path.Combine(Gateway.Solution, "config") + "/", StringComparison.Ordinal)
            .Replace("/etc/spark-gateway/gateway.yml", ConfigFile("gateway"), StringComparison.Ordinal));
        var run = await Gateway.RunAsync(["check-config", .. here, "--set", $"store.connection_string_file={connection.Path}"]);
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
    }

    [Fact]
    public void Compose_MountedFiles_AreWhereProdYmlLooks()
    {
        var prod = (YamlMappingNode)Load(Path.Combine("config", "prod.yml"))["config"];
        var targets = ((YamlSequenceNode)Compose["services"]["gateway"]["configs"]).Select(item => item["target"].ToString());

        Assert.Contains(prod["store"]["connection_string_file"].ToString(), targets);
        Assert.Contains(((YamlSequenceNode)Compose["services"]["gateway"]["ports"]).Select(port => port.ToString()), port => port.EndsWith(":" + prod["health"]["port"], StringComparison.Ordinal));
        Assert.Contains(prod["state_dir"].ToString(), ((YamlSequenceNode)Compose["services"]["gateway"]["volumes"]).Single().ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Compose_Images_NameNoRegistry()
    {
        var from = File.ReadLines(Path.Combine(Gateway.Solution, Compose["services"]["gateway"]["build"]["dockerfile"].ToString())).Single(line => line.StartsWith("FROM ", StringComparison.Ordinal));

        Assert.Equal("FROM debian:12-slim", from);
        Assert.Equal("postgres:16", Compose["services"]["postgres"]["image"].ToString());
    }

    [Fact]
    public async Task RunSh_WithoutDotnet_IsOneSentence()
    {
        using var tools = new TempFolder();
        foreach (var tool in (string[])["dirname", "bash"]) File.CreateSymbolicLink(Path.Combine(tools.Path, tool), Which(tool));
        using var script = Gateway.Start(Path.Combine(tools.Path, "bash"), [Path.Combine(Gateway.Solution, "run.sh")], [("PATH", tools.Path)]);

        VerbTests.AssertRefused(await script.EndAsync(), "dotnet is missing");
    }

    private static string ConfigFile(string name) => Path.Combine(Gateway.Solution, Compose["configs"][name]["file"].ToString());

    private static string Which(string tool) =>
        Environment.GetEnvironmentVariable("PATH")!.Split(':').Select(folder => Path.Combine(folder, tool)).First(File.Exists);

    private static YamlMappingNode Load(string file)
    {
        using var reader = File.OpenText(Path.Combine(Gateway.Solution, file));
        var stream = new YamlStream();
        stream.Load(reader);
        return (YamlMappingNode)stream.Documents[0].RootNode;
    }

    private sealed class TempFolder : IDisposable
    {
        public string Path { get; } = Directory.CreateTempSubdirectory("spark-gateway-api-").FullName;

        public void Dispose() => Directory.Delete(Path, recursive: true);
    }

    private sealed class TempFile : IDisposable
    {
        public TempFile(string text) => File.WriteAllText(Path, text);

        public string Path { get; } = System.IO.Path.GetTempFileName();

        public void Dispose() => File.Delete(Path);
    }
}
