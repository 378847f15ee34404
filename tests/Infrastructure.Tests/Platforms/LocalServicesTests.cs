using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using SparkGateway.Features.Ports;
using SparkGateway.Infrastructure.Attached;
using SparkGateway.Infrastructure.Options;
using SparkGateway.Infrastructure.Platforms;
using SparkGateway.Infrastructure.Platforms.Local;

namespace SparkGateway.Infrastructure.Tests.Platforms;

public class LocalServicesTests
{
    [Fact]
    public async Task AddLocalPlatform_Options_GivesAllParts()
    {
        var options = new GatewayOptions();
        options.SparkConnect.Attached.Add(new AttachedOptions { Name = "mine", Namespace = "team", Address = "h:1" });
        await using var provider = new ServiceCollection()
            .AddSingleton(options)
            .AddSingleton(typeof(ILogger<>), typeof(NullLogger<>))
            .AddAttachedSessions()
            .AddLocalPlatform()
            .BuildServiceProvider(validateScopes: true);

        Assert.Equal("local", provider.GetRequiredService<IDriverPlatform>().Name);
        Assert.Same(provider.GetRequiredService<DriverTokens>(), provider.GetRequiredService<IDriverTokens>());
        Assert.NotNull(provider.GetRequiredService<SparkLocator>());
        Assert.Single(provider.GetRequiredService<AttachedSessions>().Current);
    }
}
