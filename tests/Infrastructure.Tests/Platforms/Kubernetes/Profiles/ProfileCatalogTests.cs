using SparkGateway.Infrastructure.Options;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Profiles;

namespace SparkGateway.Infrastructure.Tests.Platforms.Kubernetes.Profiles;

public sealed class ProfileCatalogTests
{
    private readonly GatewayOptions options = new();

    public ProfileCatalogTests()
    {
        options.Kubernetes.Profiles = new() { ["default"] = new() { Image = "small:1" }, ["big"] = new() { Image = "big:1", DriverMemory = "16GB", SparkVersion = "4.2.0", ExecutorInstances = 9 } };
        options.SparkConnect.OnDemand.Teams = [new() { Team = "ml", Environment = "prod", Profile = "big" }, new() { Team = "ml", Environment = "dev" }];
    }

    [Theory]
    [InlineData("ml", "prod", "big", "big:1", "16g", "4.2.0", 9)]
    [InlineData("ml", "dev", "default", "small:1", "4g", "4.1.0", 2)]
    [InlineData("other", "prod", "default", "small:1", "4g", "4.1.0", 2)]
    public void For_TeamAndEnvironment_ItsProfileElseTheDefault(string team, string environment, string name, string image, string memory, string version, int executors)
    {
        var profile = new ProfileCatalog(options).For(team, environment);

        Assert.Equal((name, image, memory, version, executors), (profile.Name, profile.Image, profile.Driver.Memory, profile.SparkVersion, profile.ExecutorInstances));
    }

    [Fact]
    public void For_SettingsInBothPlaces_TheProfilesWin()
    {
        options.SparkConnect.OnDemand.SparkConf = new() { ["spark.a"] = "general", ["spark.b"] = "general" };
        options.Kubernetes.Profiles["default"].SparkConf = new() { ["spark.b"] = "own", ["spark.c"] = "own" };

        var conf = new ProfileCatalog(options).For("x", "y").SparkConf;

        Assert.Equal("spark.a=general spark.b=own spark.c=own", string.Join(' ', conf.Select(setting => $"{setting.Key}={setting.Value}")));
    }

    [Theory]
    [InlineData("4.0.0", true)]
    [InlineData("4.1.0-preview1", true)]
    [InlineData("10.0", true)]
    [InlineData("3.5.1", false)]
    public void IsSpark4_Version_Tells(string version, bool expected)
    {
        options.Kubernetes.Profiles["default"].SparkVersion = version;

        Assert.Equal(expected, new ProfileCatalog(options).For("x", "y").IsSpark4);
    }
}
